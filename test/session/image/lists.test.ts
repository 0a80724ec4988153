// Manifest lists: made of images of registries and of the store, pushed so that skopeo finds every platform, kept from prune and fsck.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import { createLists } from "../../../src/host/image/lists/index.js";
import type { CopyWishes } from "../../../src/ports/image-copy.js";
import type { ImageLists } from "../../../src/ports/image-lists.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore, there } from "../../lib/store.js";
import { image, layer, randomLayer, sha256, type TinyImage, writeLayout } from "../../lib/tiny-image.js";

const run = promisify(execFile);
const LIST = "localhost/app:1.0";
let registry: Registry;
let store: TestStore;
let lists: ImageLists;
let own: TinyImage;
let arm: TinyImage;
let s390x: TinyImage;
const none = { all: false, words: {} };

before(async () => {
  await needPodrt();
  registry = await startRegistry();
  store = await makeStore({ deadlines: {} });
  lists = createLists(store.options);
  const common = layer([{ name: "common", content: "both" }]);
  const make = (architecture: string) => image([common, randomLayer(architecture, 50_000)], { config: { architecture, variant: "v8" } });
  own = image([common, randomLayer("own", 50_000)]);
  [arm, s390x] = [make("arm64"), make("s390x")];
  const made = join(store.folder, "made");
  await writeLayout(made, { own, arm, s390x });
  for (const name of ["own", "arm", "s390x"])
    await copies().copy(
      `oci:${made}:${name}`,
      `docker://${registry.host}/src/${name}:1`,
      { all: false, preserve: true, platform: platformOf(name) },
      () => undefined,
    );
  await copies().copy(`oci:${made}:own`, "store:localhost/own:1", { all: false, preserve: false }, () => undefined);
});
after(async () => {
  await store.remove();
  await registry.stop();
});

const platformOf = (name: string) => ({
  os: "linux",
  architecture: name === "arm" ? "arm64" : name === "own" ? machine() : name,
  variant: "",
});
const machine = () => JSON.parse(own.config.toString()).architecture as string;
const copies = () => createCopies({ ...store.options, settings: join(store.folder, "none") });
const push = async (to: string, wishes: Partial<CopyWishes> = {}) =>
  (await copies().copy(`list:${LIST}`, to, { all: true, preserve: false, ...wishes }, () => undefined)).digest;
const remote = (name: string) => `docker://${registry.host}/${name}`;
const raw = async (place: string) => (await run("skopeo", ["inspect", "--tls-verify=false", "--raw", place])).stdout;
const platforms = (index: string) =>
  JSON.parse(index).manifests.map((m: { platform: { architecture: string; variant?: string } }) =>
    [m.platform.architecture, m.platform.variant].join("/"),
  );
const layersThere = () => Promise.all(own.layers.map((l) => there(store.layerPath(l.diffId))));

test("made of a registry's images and of the store's, pushed with all of them, read by skopeo for each platform", async () => {
  await lists.create(LIST, { amend: false, annotations: { made: "here" } });
  assert.match((await imageError(lists.create(LIST, { amend: false, annotations: {} }))).message, /already/);
  assert.deepEqual(await lists.add(LIST, remote("src/arm:1"), none), [arm.digest]);
  assert.deepEqual(await lists.add(LIST, "store:localhost/own:1", { all: false, words: { annotations: { of: "store" } } }), [own.digest]);
  await lists.add(LIST, remote("src/s390x:1"), { all: false, words: { platform: { variant: "z14" } } });
  assert.deepEqual(platforms(Buffer.from(await lists.index(LIST)).toString()), ["arm64/v8", `${machine()}/`, "s390x/z14"]);
  const digest = await push(remote("out/app:1.0"));
  const pushed = await raw(remote("out/app:1.0"));
  assert.equal(sha256(pushed), digest);
  assert.deepEqual([JSON.parse(pushed).annotations, JSON.parse(pushed).manifests[1].annotations], [{ made: "here" }, { of: "store" }]);
  for (const [architecture, tiny] of [
    ["arm64", arm],
    ["s390x", s390x],
    [machine(), own],
  ] as const) {
    const as = ["--override-arch", architecture, ...(architecture === "s390x" ? ["--override-variant", "z14"] : [])];
    const shown = await run("skopeo", ["inspect", "--tls-verify=false", ...as, "--config", remote("out/app:1.0")]);
    assert.deepEqual(
      JSON.parse(shown.stdout).rootfs.diff_ids,
      tiny.layers.map((l) => l.diffId),
      architecture,
    );
  }
  await run("skopeo", ["copy", "-q", "--all", "--src-tls-verify=false", remote("out/app:1.0"), `dir:${store.folder}/read`]);
  // The registry that has the layers of the store's image still gets it under its own digest.
  assert.equal(await push(remote("src/own:list"), { preserve: true }), sha256(await lists.index(LIST)));
  assert.deepEqual(
    JSON.parse(await raw(remote("src/own:list"))).manifests.map((m: { digest: string }) => m.digest),
    [arm, own, s390x].map((t) => t.digest),
  );
  await push(remote("out/docker:1.0"), { format: "docker" });
  const docker = JSON.parse(await raw(remote("out/docker:1.0")));
  assert.equal(docker.mediaType, "application/vnd.docker.distribution.manifest.list.v2+json");
  assert.ok(docker.manifests.every((m: { mediaType: string }) => m.mediaType === "application/vnd.docker.distribution.manifest.v2+json"));
  await push(`oci:${store.folder}/out:all`);
  assert.deepEqual(platforms(await raw(`oci:${store.folder}/out:all`)), platforms(pushed));
});

test("another index: one image of it, or all; the list alone; an image that is there is said anew, and taken out", async () => {
  const other = "localhost/other:1";
  await lists.create(other, { amend: false, annotations: {} });
  assert.deepEqual(
    await lists.add(other, remote("out/app:1.0"), { ...none, choose: platformOf("s390x") }).catch((e) => e.code),
    "image-no-platform",
  );
  assert.deepEqual(
    await lists.add(other, remote("out/app:1.0"), { ...none, choose: { ...platformOf("s390x"), variant: "z14" } }).catch((e) => e.code),
    "image-no-platform",
  );
  assert.deepEqual(await lists.add(other, remote("out/app:1.0"), { ...none, choose: { ...platformOf("arm"), variant: "v8" } }), [
    arm.digest,
  ]);
  assert.equal((await lists.add(other, remote("src/own:list"), { all: true, words: {} })).length, 3);
  assert.equal((await lists.get(other))?.entries.length, 3);
  await lists.annotate(other, arm.digest.slice(7, 19), { platform: { variant: "v9" }, annotations: { a: "b" } });
  await lists.annotate(other, undefined, { annotations: { top: "yes" } });
  assert.equal(await lists.drop(other, s390x.digest), s390x.digest);
  assert.equal((await imageError(lists.drop(other, s390x.digest))).code, "image-not-found");
  const index = JSON.parse(Buffer.from(await lists.index(other)).toString());
  assert.deepEqual(
    [index.annotations, index.manifests[0].annotations, index.manifests[0].platform.variant, index.manifests.length],
    [{ top: "yes" }, { a: "b" }, "v9", 2],
  );
  // Alone it goes only where its images are.
  const alone = (to: string) => copies().copy(`list:${other}`, to, { all: true, preserve: false, indexOnly: true }, () => undefined);
  assert.equal((await alone(remote("empty/app:1")).catch((e) => e)).code, "image-refused");
  await lists.create("localhost/there:1", { amend: true, annotations: {} });
  await lists.add("localhost/there:1", remote("src/own:list"), { all: true, words: {} });
  const { digest } = await copies().copy(
    "list:localhost/there:1",
    remote("src/own:again"),
    { all: true, preserve: false, indexOnly: true },
    () => undefined,
  );
  assert.equal(sha256(await raw(remote("src/own:again"))), digest);
  for (const name of [other, "localhost/there:1"]) assert.equal(await lists.remove(name), true);
  assert.equal(await lists.remove(other), false);
  assert.equal((await imageError(lists.index(other))).code, "image-not-found");
});

test("an image of the store stays while a list holds it, through prune and fsck; damage is found", async () => {
  const fsck = (repair = false) => store.manage.fsck({ deep: true, repair, pinned: [], running: new Map() });
  await store.manage.untag("localhost/own:1");
  await store.prune();
  assert.deepEqual(await layersThere(), [true, true]);
  assert.deepEqual(await fsck(), []);
  await push(remote("out/later:1"));
  // Another podgen, after this one has ended.
  assert.equal((await createLists(store.options).get(LIST))?.entries.length, 3);
  const folder = join(store.options.data, "storage/lists");
  const [name = ""] = await readdir(folder);
  const bytes = await readFile(join(folder, name));
  await writeFile(join(folder, name), bytes.subarray(0, 100));
  assert.deepEqual(
    (await fsck()).filter((f) => f.weight === "damage").map((f) => [f.kind, f.what]),
    [["record", `lists/${name}`]],
  );
  await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, `${name}.0.tmp`), "left by one that was killed");
  assert.deepEqual(
    (await fsck()).map((f) => f.kind),
    ["leftover"],
  );
  await lists.remove(LIST);
  await store.prune();
  assert.deepEqual(await layersThere(), [false, false]);
  assert.deepEqual(await readdir(folder), []);
});

test("of many changes at once none is lost", async () => {
  await lists.create(LIST, { amend: false, annotations: {} });
  await lists.add(LIST, remote("src/arm:1"), none);
  const one = (i: number) =>
    createLists(store.options).annotate(LIST, i % 2 ? undefined : arm.digest, { annotations: { [`key${i}`]: "x" } });
  await Promise.all(Array.from({ length: 10 }, (_, i) => one(i)));
  const list = await lists.get(LIST);
  assert.equal(Object.keys({ ...list?.annotations, ...list?.entries[0]?.annotations }).length, 10);
});

test("refused: an image that is none, a place that may be gone, two said as one", async () => {
  assert.equal((await imageError(lists.add("localhost/nolist:1", remote("src/arm:1"), none))).code, "image-not-found");
  assert.equal((await imageError(lists.add(LIST, remote("src/none:1"), none))).code, "image-not-found");
  assert.equal((await imageError(lists.add(LIST, "store:localhost/gone:1", none))).code, "image-not-found");
  assert.match((await imageError(lists.add(LIST, `oci:${store.folder}/made:arm`, none))).message, /neither in a registry nor in the store/);
  const two = lists.add(LIST, remote("src/own:list"), { all: true, words: { annotations: { a: "b" } } });
  assert.match((await imageError(two)).message, /cannot be said of 3/);
  assert.equal((await lists.get(LIST))?.entries.length, 1);
  assert.match((await imageError(push("store:localhost/x:1"))).message, /all platforms/);
});

test("the commands, as an ordinary user says them", async () => {
  const env = {
    PATH: process.env["PATH"],
    HOME: store.folder,
    XDG_RUNTIME_DIR: store.folder,
    XDG_DATA_HOME: store.options.data.replace(/\/podgen$/, ""),
  };
  const manifest = (...words: string[]) =>
    run(join(podrt, "../podgen"), ["image", "manifest", ...words], { env }).then(
      (r) => r.stdout,
      (e) => `${e.code} ${e.stderr}`,
    );
  assert.match(await manifest("inspect", remote("out/later:1")), /"architecture": "s390x"/);
  assert.match(await manifest("exists", "nothing"), /^1 /);
  assert.match(await manifest("create", "x"), process.getuid?.() === 0 ? /refuses to be root/ : /localhost\/x/);
  assert.match(await manifest(), /Say what to do/);
  assert.match(await manifest("push", "x", "dir:/x", "--format", "odd"), /^64 /);
});
