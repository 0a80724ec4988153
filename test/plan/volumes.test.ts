// Volumes of every kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Volume, VolumeMount, VolumeSource } from "../../src/model/types.js";
import { at, codesOf, configMap, container, goodPlan, IMAGE, modelOf, planOf, pod, renderOf, secret, volumeMount } from "../lib/models.js";

const volume = (name: string, source: VolumeSource): Volume => ({ name, source, at: at(20) });
const files = (kind: "configMap" | "secret", name: string, over: object = {}): VolumeSource =>
  ({ kind, name, defaultMode: 0o644, optional: false, ...over }) as VolumeSource;

const objects = [configMap("c", { "a.conf": "A", "b.conf": "B" }), secret("s", { key: "K" })];

function model(volumes: Volume[], mounts: VolumeMount[]) {
  return modelOf(pod("web", { volumes, containers: [container("app", { volumeMounts: mounts })] }), ...objects);
}
function planned(volumes: Volume[], mounts: VolumeMount[]) {
  const [planPod] = goodPlan(model(volumes, mounts)).pods;
  const [first] = planPod?.containers ?? [];
  assert.ok(planPod && first);
  return { pod: planPod, container: first };
}
const one = (source: VolumeSource, over: Partial<VolumeMount> = {}) => planned([volume("v", source)], [volumeMount("v", "/v", over)]);

const data = "/home/alice/.local/share/podgen";
const binds: readonly [string, VolumeSource, Partial<VolumeMount>, string, string[]][] = [
  ["emptyDir", { kind: "emptyDir", medium: "" }, {}, `${data}/empty/web/v`, ["rw", "x-podgen.mkdir"]],
  [
    "emptyDir in memory",
    { kind: "emptyDir", medium: "Memory" },
    {},
    "/run/user/1000/podgen/pods/web/_infra/volumes/v",
    ["rw", "x-podgen.memory"],
  ],
  ["hostPath", { kind: "hostPath", path: "/srv/x/", type: "" }, {}, "/srv/x", ["rw"]],
  ["hostPath with a type", { kind: "hostPath", path: "/s", type: "Socket" }, { readOnly: true }, "/s", ["ro", "x-podgen.type=Socket"]],
  ["claim", { kind: "persistentVolumeClaim", claimName: "db", readOnly: false }, {}, `${data}/volumes/db`, ["rw", "x-podgen.mkdir"]],
  [
    "read-only claim",
    { kind: "persistentVolumeClaim", claimName: "db", readOnly: true },
    {},
    `${data}/volumes/db`,
    ["ro", "x-podgen.mkdir"],
  ],
  [
    "subPath",
    { kind: "emptyDir", medium: "" },
    { subPath: "a//b/" },
    `${data}/empty/web/v`,
    ["rw", "x-podgen.mkdir", "x-podgen.subpath=a/b"],
  ],
];
for (const [what, source, over, path, options] of binds)
  test(`bind: ${what}`, () => {
    assert.deepEqual(one(source, over).container.mounts, [
      { destination: "/v", type: "bind", source: path, options: ["rbind", "rprivate", ...options] },
    ]);
  });

test("fsGroup: a claim at each start or where its folder differs, an emptyDir where it differs, files; never the host's", () => {
  const sources: [VolumeSource, string[]][] = [
    [{ kind: "emptyDir", medium: "" }, ["x-podgen.group=2000"]],
    [{ kind: "emptyDir", medium: "Memory" }, ["x-podgen.group=2000"]],
    [{ kind: "hostPath", path: "/srv", type: "" }, []],
    [{ kind: "persistentVolumeClaim", claimName: "db", readOnly: false }, ["x-podgen.group=2000", "x-podgen.group-always"]],
    [
      { kind: "persistentVolumeClaim", claimName: "db", readOnly: true },
      ["x-podgen.group=2000", "x-podgen.group-always", "x-podgen.group-reads"],
    ],
  ];
  const of = (source: VolumeSource, always: boolean) => {
    const app = container("app", { volumeMounts: [volumeMount("v", "/v")] });
    const spec = pod("web", { fsGroup: { gid: 2000, always }, volumes: [volume("v", source)], containers: [app] });
    return goodPlan(modelOf(spec, ...objects)).pods[0]?.containers[0];
  };
  const groups = (options: readonly string[] = []) => options.filter((o) => o.startsWith("x-podgen.group"));
  for (const [source, options] of sources) {
    assert.deepEqual(groups(of(source, true)?.mounts[0]?.options), options, JSON.stringify(source));
    const seldom = options.filter((o) => o !== "x-podgen.group-always");
    assert.deepEqual(groups(of(source, false)?.mounts[0]?.options), seldom, JSON.stringify(source));
  }
  assert.equal(of(files("configMap", "c"), true)?.files[0]?.group, 2000);
});

test("volumes in memory are infra's to make, folders on disk go with the pod, claims never", () => {
  const { pod: plan } = planned(
    [
      volume("m", { kind: "emptyDir", medium: "Memory" }),
      volume("d", { kind: "emptyDir", medium: "" }),
      volume("c", { kind: "persistentVolumeClaim", claimName: "db", readOnly: false }),
    ],
    [],
  );
  assert.deepEqual(plan.memoryVolumes, ["/run/user/1000/podgen/pods/web/_infra/volumes/m"]);
  assert.deepEqual(plan.folders, [
    `${data}/containers/web`,
    `${data}/containers/web/app`,
    `${data}/empty/web`,
    `${data}/empty/web/d`,
    "/run/user/1000/podgen/pods/web",
  ]);
});

test("sizeLimit: a tmpfs of that size; of folders on disk one warning per apply says that nothing limits them", () => {
  const limited = (name: string, medium: "" | "Memory", sizeLimit: number): Volume => volume(name, { kind: "emptyDir", medium, sizeLimit });
  const memory = [limited("m", "Memory", 4096), volume("n", { kind: "emptyDir", medium: "Memory" })];
  const base = "/run/user/1000/podgen/pods/web/_infra/volumes";
  assert.deepEqual(planned(memory, []).pod.memoryVolumes, [{ path: `${base}/m`, size: 4096 }, `${base}/n`]);
  assert.deepEqual(codesOf(model(memory, [])), []);
  const disk = ["a", "b", "c", "d"].map((name) => limited(name, "", 1));
  const [found, ...more] = planOf(modelOf(pod("web", { volumes: disk }), pod("log", { volumes: disk }))).diagnostics;
  assert.deepEqual([found?.code, found?.severity, more], ["no-quota", "warning", []]);
  assert.match(found?.message ?? "", /^volume "a" of pod "web", .*"c" of pod "web" and 5 more: its size limit has no effect/);
});

test("an image volume: its layers, read-only; pulled and kept though nothing mounts it", () => {
  const source: VolumeSource = { kind: "image", image: IMAGE, imagePullPolicy: "Always", imageAt: at(21) };
  const { pod: plan, container: app } = one(source, { subPath: "a/b" });
  const [mount] = app.mounts;
  assert.deepEqual([mount?.type, mount?.options], ["image", ["rprivate", "ro", "nosuid", "nodev", "noexec", "x-podgen.subpath=a/b"]]);
  assert.deepEqual(
    plan.imageVolumes.map((v) => [v.name, v.image.reference]),
    [["v", IMAGE]],
  );
  const [rendered] = renderOf(model([volume("v", source)], [])).pods;
  assert.deepEqual(Object.keys(rendered?.volumeImages ?? {}), ["v"]);
  const unknown = { ...source, image: "registry.test/none:1" };
  assert.deepEqual(codesOf(model([volume("v", unknown)], [volumeMount("v", "/v")])), ["image-unknown"]);
});

test("mountPropagation HostToContainer: a slave of the host's mount", () => {
  const [mount] = one({ kind: "hostPath", path: "/srv", type: "" }, { fromHost: true }).container.mounts;
  assert.deepEqual(mount?.options, ["rbind", "rslave", "rw"]);
});

test("configMap: every key a file, by path, read-only, its bytes beside the bundle", () => {
  const { pod: plan, container: app } = one(files("configMap", "c"));
  const [entry] = app.files;
  assert.deepEqual(
    entry?.items.map((i) => [i.path, i.mode]),
    [
      ["a.conf", 0o644],
      ["b.conf", 0o644],
    ],
  ); // prettier-ignore
  assert.equal(entry?.readOnly, true);
  assert.match(entry?.items[0]?.source ?? "", /^\/home\/alice\/\.local\/share\/podgen\/pods\/web\/_config\/[0-9a-f]{32}\/a\.conf$/);
  assert.deepEqual(
    plan.data.map((d) => [new TextDecoder().decode(d.bytes), d.mode, d.secret]),
    [
      ["A", 0o600, false],
      ["B", 0o600, false],
    ],
  ); // prettier-ignore
});

test("secret: sources in the store", () => {
  const { pod: plan, container: app } = one(files("secret", "s", { defaultMode: 0o400 }));
  assert.deepEqual(
    app.files[0]?.items.map((i) => [i.path, i.mode]),
    [["key", 0o400]],
  );
  assert.match(app.files[0]?.items[0]?.source ?? "", /\/secrets\/s\/[0-9a-f]{32}\/key$/);
  assert.deepEqual(
    plan.data.map((d) => d.secret),
    [true],
  );
});

test("items choose and rename, with modes of their own", () => {
  const { container: app } = one(files("configMap", "c", { items: [{ key: "a.conf", path: "d/x", mode: 0o400 }] }));
  assert.deepEqual(
    app.files[0]?.items.map((i) => [i.path, i.mode]),
    [["d/x", 0o400]],
  );
});

test("subPath of one file mounts that file alone", () => {
  const { container: app, pod: plan } = one(files("configMap", "c"), { subPath: "b.conf" });
  assert.equal(app.files[0]?.subPath, "b.conf");
  assert.deepEqual(
    app.files[0]?.items.map((i) => i.path),
    ["b.conf"],
  );
  assert.equal(plan.data.length, 1);
});

test("subPath of a folder mounts what is below it", () => {
  const items = [
    { key: "a.conf", path: "d/x" },
    { key: "b.conf", path: "e/y" },
  ]; // prettier-ignore
  const { container: app } = one(files("configMap", "c", { items }), { subPath: "d" });
  assert.equal(app.files[0]?.subPath, undefined);
  assert.deepEqual(
    app.files[0]?.items.map((i) => i.path),
    ["x"],
  );
});

test("a changed key changes the paths of the volumes that show it, and of no other", () => {
  const sources = (b: string) => {
    const m = modelOf(
      pod("web", {
        volumes: [volume("v", files("configMap", "c"))],
        containers: [
          container("all", { volumeMounts: [volumeMount("v", "/v")] }),
          container("one", { volumeMounts: [volumeMount("v", "/a.conf", { subPath: "a.conf" })] }),
        ],
      }),
      configMap("c", { "a.conf": "A", "b.conf": b }),
    );
    return goodPlan(m).pods[0]?.containers.map((c) => c.files[0]?.items.map((i) => i.source).join());
  };
  const [before, after] = [sources("B"), sources("B2")];
  assert.notEqual(before?.[0], after?.[0]);
  assert.equal(before?.[1], after?.[1]);
});

test("mounts come parents first", () => {
  const paths = ["/a-b", "/a/b", "/a", "/a/b/c", "/b"];
  const volumes = paths.map((_, i) => volume(`v${i}`, { kind: "emptyDir", medium: "" }));
  const { container: app } = planned(
    volumes,
    paths.map((path, i) => volumeMount(`v${i}`, path)),
  );
  assert.deepEqual(
    app.mounts.map((m) => m.destination),
    ["/a", "/a/b", "/a/b/c", "/a-b", "/b"],
  );
});

const bad: readonly [string, VolumeSource, Partial<VolumeMount>, string[]][] = [
  ["no such ConfigMap", files("configMap", "nope"), {}, ["missing-object"]],
  ["no such ConfigMap, optional", files("configMap", "nope", { optional: true }), {}, []],
  ["no such ConfigMap, optional, subPath", files("configMap", "nope", { optional: true }), { subPath: "x" }, []],
  ["no such key", files("secret", "s", { items: [{ key: "nope", path: "x" }] }), {}, ["missing-key"]],
  ["no such key, optional", files("secret", "s", { optional: true, items: [{ key: "nope", path: "x" }] }), {}, []],
  ["a path that climbs", files("configMap", "c", { items: [{ key: "a.conf", path: "../x" }] }), {}, ["unsafe-path"]],
  ["an absolute path", files("configMap", "c", { items: [{ key: "a.conf", path: "/etc/x" }] }), {}, ["unsafe-path"]],
  ["no such file by subPath", files("configMap", "c"), { subPath: "nope" }, ["missing-key"]],
  ["a subPath that climbs", { kind: "emptyDir", medium: "" }, { subPath: "a/../../x" }, ["unsafe-path"]],
];
for (const [what, source, over, codes] of bad)
  test(`bad volume: ${what}`, () => {
    assert.deepEqual(codesOf(model([volume("v", source)], [volumeMount("v", "/v", over)])), codes);
  });
