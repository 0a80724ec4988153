// The downward API's values, and volumes that mix sources: units, defaults, what is not there, what clashes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container, DownwardValue, PodModel, Volume } from "../../src/model/types.js";
import { at, codesOf, configMap, container, goodPlan, imageFacts, modelOf, pod, secret, volumeMount } from "../lib/models.js";

const limited: Partial<Container> = { limits: { cpuMillis: 1500, memoryBytes: 64 * 1024 ** 2 }, requests: { cpuMillis: 200 } };

/** What a variable holds. */
function textOf(source: DownwardValue, own: Partial<Container> = {}, over: Partial<PodModel> = {}): string | undefined {
  const model = modelOf(pod("web", { containers: [container("app", { ...own, env: [{ name: "V", source, at: at(7) }] })], ...over }));
  return goodPlan(model)
    .pods[0]?.containers[0]?.env.find((line) => line.startsWith("V="))
    ?.slice(2);
}

const field = (path: string): DownwardValue => ({ kind: "field", path });
const resource = (name: string, divisor = "1", of?: string): DownwardValue => ({
  kind: "resource",
  resource: name,
  divisor,
  ...(of === undefined ? {} : { container: of }),
});

describe("resources are in units of the divisor, rounded up", () => {
  for (const [name, divisor, wanted] of [
    ["limits.cpu", "1", "2"],
    ["limits.cpu", "0", "2"],
    ["limits.cpu", "1m", "1500"],
    ["limits.cpu", "500m", "3"],
    ["limits.memory", "1", "67108864"],
    ["limits.memory", "1Mi", "64"],
    ["limits.memory", "1M", "68"],
    ["limits.memory", "1Gi", "1"],
    ["requests.cpu", "1m", "200"],
    ["requests.memory", "1Mi", "64"],
  ] as const)
    test(`${name} / ${divisor}`, () => assert.equal(textOf(resource(name, divisor), limited), wanted));

  test("without a limit it is the machine's, without a request the limit, else nothing", () => {
    assert.equal(textOf(resource("limits.cpu")), "4");
    assert.equal(textOf(resource("limits.memory", "1Gi")), "8");
    assert.equal(textOf(resource("requests.cpu")), "0");
  });

  test("another container's may be asked for; one that is not there is an error", () => {
    const other = container("other", limited);
    const ask = (of: string) => container("app", { env: [{ name: "V", source: resource("limits.cpu", "1m", of), at: at(7) }] });
    assert.ok(goodPlan(modelOf(pod("web", { containers: [ask("other"), other] }))).pods[0]?.containers[0]?.env.includes("V=1500"));
    assert.deepEqual(codesOf(modelOf(pod("web", { containers: [ask("none"), other] }))), ["unknown-container"]);
  });
});

test("fields of the pod; a label that is not there is empty; the uid follows from the name", () => {
  const over = { labels: { app: "web" }, annotations: { n: "1" }, serviceAccountName: "robot", namespace: "space" };
  const of = (path: string): string | undefined => textOf(field(path), {}, over);
  assert.deepEqual(
    ["metadata.name", "metadata.namespace", "metadata.labels['app']", "metadata.labels['b']", "metadata.annotations['n']"].map(of),
    ["web", "space", "web", "", "1"],
  );
  assert.deepEqual([of("spec.nodeName"), of("spec.serviceAccountName")], ["host.test", "robot"]);
  assert.equal(textOf(field("spec.serviceAccountName")), "default");
  assert.equal(of("metadata.uid"), textOf(field("metadata.uid")));
});

describe("projected volumes", () => {
  const keys = (kind: "configMap" | "secret", name: string, optional = false) => ({ kind, name, optional, at: at(9) });
  const volume = (...sources: Extract<Volume["source"], { kind: "projected" }>["sources"]): Volume => ({
    name: "v",
    source: { kind: "projected", defaultMode: 0o640, sources },
    at: at(8),
  });
  const modelWith = (v: Volume) =>
    modelOf(
      pod("web", { labels: { app: "web" }, volumes: [v], containers: [container("app", { volumeMounts: [volumeMount("v", "/v")] })] }),
      configMap("c", { a: "open" }),
      secret("s", { b: "hunter2", a: "clash" }),
    );
  const down = { kind: "downwardAPI" as const, items: [{ path: "d/labels", value: field("metadata.labels"), at: at(9) }] };

  test("files of all sources in one folder; a Secret's bytes are in the store alone", () => {
    const [only] = goodPlan(
      modelWith(volume(keys("configMap", "c"), { ...keys("secret", "s"), items: [{ key: "b", path: "b", mode: 0o400 }] }, down)),
    ).pods;
    const items = only?.containers[0]?.files[0]?.items ?? [];
    assert.deepEqual(
      items.map((i) => [i.path, i.mode, /\/secrets\/s\//.test(i.source)]),
      [
        ["a", 0o640, false],
        ["b", 0o400, true],
        ["d/labels", 0o640, false],
      ],
    );
    const texts = new Map(only?.data.map((d) => [d.path, new TextDecoder().decode(d.bytes)]));
    assert.deepEqual(
      items.map((i) => texts.get(i.source)),
      ["open", "hunter2", 'app="web"'],
    );
    assert.deepEqual(
      only?.data.filter((d) => d.secret !== d.path.includes("/secrets/")),
      [],
    );
  });

  test("two sources with one file, and a source that is not there, are errors", () => {
    assert.deepEqual(codesOf(modelWith(volume(keys("configMap", "c"), keys("secret", "s")))), ["duplicate-mount"]);
    assert.deepEqual(codesOf(modelWith(volume(keys("configMap", "none"), down))), ["missing-object"]);
    assert.deepEqual(codesOf(modelWith(volume(keys("configMap", "none", true), down))), []);
  });

  test("a changed label makes another bundle path; an unchanged one the same", () => {
    const source = (labels: Record<string, string>): string | undefined => {
      const v = volume(down);
      const model = modelOf(
        pod("web", { labels, volumes: [v], containers: [container("app", { volumeMounts: [volumeMount("v", "/v")] })] }),
      );
      return goodPlan(model).pods[0]?.containers[0]?.files[0]?.items[0]?.source;
    };
    assert.notEqual(source({ a: "1" }), source({ a: "2" }));
    assert.equal(source({ a: "1", b: "2" }), source({ b: "2", a: "1" }));
  });
});

describe("subPathExpr", () => {
  const codes = (subPathExpr: string): string[] => {
    const volume: Volume = { name: "v", source: { kind: "emptyDir", medium: "" }, at: at(8) };
    const env = [
      { name: "A", source: { kind: "value" as const, value: "x" }, at: at(7) },
      { name: "UP", source: { kind: "value" as const, value: "../y" }, at: at(7) },
    ];
    const volumeMounts = [volumeMount("v", "/v", { subPathExpr })];
    return codesOf(modelOf(pod("web", { volumes: [volume], containers: [container("app", { env, volumeMounts })] })));
  };
  test("is made of variables that are there, and stays in the volume", () => {
    assert.deepEqual(codes("$(A)/b"), []);
    assert.deepEqual(codes("$(NONE)/b"), ["missing-variable"]);
    assert.deepEqual(codes("$$(NONE)/b"), []);
    assert.ok(codes("$(UP)").includes("unsafe-path"));
  });
});

test("runAsNonRoot: a number other than 0 is needed, from the spec or from the image", () => {
  const codes = (user: string, over: { runAsUser?: number } = {}): string[] => {
    const security = { ...container("x").security, nonRoot: true as const, ...over };
    return codesOf(modelOf(pod("web", { containers: [container("app", { security })] })), { images: [imageFacts(undefined, { user })] });
  };
  assert.deepEqual(codes("1000"), []);
  assert.deepEqual(codes("1000:1000"), []);
  assert.deepEqual(codes("www", { runAsUser: 5 }), []);
  for (const user of ["", "0", "0:0", "00", "www", "www:www"]) assert.deepEqual(codes(user), ["would-be-root"], user);
  assert.deepEqual(codes("1000", { runAsUser: 0 }), ["would-be-root"]);
});

test("addresses are marks until the start, in arguments too, and the container says that it has some; paths cannot have one", () => {
  const mark = "\u0001{podIP}";
  const env = [
    { name: "IP", source: field("status.podIP"), at: at(7) },
    { name: "URL", source: { kind: "value", value: "http://$(IP)/" }, at: at(8) },
  ] as const;
  const app = container("app", { env, args: ["--at=$(IP)"] });
  const [planned] = goodPlan(modelOf(pod("web", { containers: [app] }))).pods[0]?.containers ?? [];
  assert.ok(planned?.env.includes(`IP=${mark}`) && planned.env.includes(`URL=http://${mark}/`));
  assert.deepEqual([planned?.args, planned?.addresses], [[`--at=${mark}`], true]);
  assert.equal(goodPlan(modelOf(pod("web"))).pods[0]?.containers[0]?.addresses, undefined);
  const volumes: Volume[] = [{ name: "v", source: { kind: "emptyDir", medium: "" }, at: at(9) }];
  const mounted = container("app", { env, volumeMounts: [volumeMount("v", "/v", { subPathExpr: "a/$(IP)" })] });
  assert.deepEqual(codesOf(modelOf(pod("web", { volumes, containers: [mounted] }))), ["late-value"]);
});
