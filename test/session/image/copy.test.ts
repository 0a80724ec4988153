// podgen image copy's engine with real bytes: a registry, skopeo as the judge of what is written, and images of several platforms.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import type { CopyProgress, CopyWishes, ImageCopies } from "../../../src/ports/image-copy.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, needPodrt, podrt } from "../../lib/store.js";
import { image, layer, randomLayer, sha256, type TinyImage, writeLayout } from "../../lib/tiny-image.js";

const run = promisify(execFile);
let folder: string;
let images: string;
let registry: Registry;
let copies: ImageCopies;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-copy-"));
  images = join(folder, "images");
  await run("test/harness/images.sh", [images], { timeout: 600_000 });
  registry = await startRegistry();
  copies = createCopies({
    data: join(folder, "data"),
    settings: join(folder, "settings"),
    podrt,
    env: { HOME: folder, XDG_RUNTIME_DIR: folder },
  });
});
after(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const plain = { all: false, preserve: false };
const here = (name: string) => join(folder, name);
const remote = (name: string) => `docker://${registry.host}/${name}`;

async function copy(from: string, to: string, wishes: Partial<CopyWishes> = {}): Promise<{ digest: string; steps: CopyProgress[] }> {
  const steps: CopyProgress[] = [];
  const { digest } = await copies.copy(from, to, { ...plain, ...wishes }, (step) => steps.push(step));
  return { digest, steps };
}

/** What skopeo says of an image. */
async function skopeo(...words: string[]): Promise<string> {
  const verb = words[0] === "copy" ? ["copy", "-q", "--src-tls-verify=false"] : ["inspect", "--tls-verify=false"];
  return (await run("skopeo", [...verb, ...words.slice(1)], { maxBuffer: 1 << 24 })).stdout;
}

async function diffIds(place: string): Promise<string> {
  return JSON.stringify(JSON.parse(await skopeo("inspect", "--config", place)).rootfs.diff_ids);
}

test("an image with gzip, zstd and plain layers through every transport, and skopeo reads each", async () => {
  const source = `oci:${images}:awkward`;
  const wanted = await diffIds(source);
  const manifest = sha256(await skopeo("inspect", "--raw", source));
  const stations = [remote("a/awkward:1"), `oci-archive:${here("a.tar")}:x`, `dir:${here("a.dir")}`, `oci:${here("a.oci")}:x`];
  let at = source;
  for (const next of stations) {
    // A plain layer would be compressed on its way into a registry.
    assert.equal((await copy(at, next, { preserve: true })).digest, manifest, next);
    assert.equal(sha256(await skopeo("inspect", "--raw", next)), manifest, next);
    at = next;
  }
  await copy(at, `docker-archive:${here("a.docker.tar")}:localhost/awkward:1`);
  await copy(`docker-archive:${here("a.docker.tar")}:localhost/awkward:1`, remote("a/packed:1"));
  await copy(remote("a/packed:1"), `dir:${here("z.dir")}`, { compression: "zstd" });
  await copy(`dir:${here("z.dir")}`, `oci:${here("a.oci")}:none`, { compression: "none" });
  await copy(`dir:${here("z.dir")}`, remote("a/v2s2:1"), { format: "docker" });
  for (const place of [`docker-archive:${here("a.docker.tar")}`, remote("a/packed:1"), `oci:${here("a.oci")}:none`, remote("a/v2s2:1")]) {
    assert.equal(await diffIds(place), wanted, place);
    // It reads all bytes, and checks every digest.
    await skopeo("copy", place, `dir:${here("skopeo.dir")}`);
  }
  const types = (text: string) => JSON.parse(text).layers.map((l: { mediaType: string }) => l.mediaType.replace(/^.*\.tar\W?/, ""));
  assert.deepEqual(new Set(types(await skopeo("inspect", "--raw", remote("a/packed:1")))), new Set(["gzip"]));
  assert.deepEqual(new Set(types(await readFile(join(here("z.dir"), "manifest.json"), "utf8"))), new Set(["zstd"]));
  assert.equal(
    JSON.parse(await skopeo("inspect", "--raw", remote("a/v2s2:1"))).mediaType,
    "application/vnd.docker.distribution.manifest.v2+json",
  );
});

test("what skopeo writes is read: dir, docker-archive, oci-archive, docker schema 2", async () => {
  const source = `oci:${images}:busybox`;
  const wanted = await diffIds(source);
  const places = [`dir:${here("s.dir")}`, `docker-archive:${here("s.docker.tar")}:localhost/b:1`, `oci-archive:${here("s.oci.tar")}:n`];
  for (const [i, place] of places.entries()) {
    await skopeo("copy", ...(i === 0 ? ["--format", "v2s2"] : []), source, place);
    await copy(place, `oci:${here("from-skopeo")}:n${i}`);
    assert.equal(await diffIds(`oci:${here("from-skopeo")}:n${i}`), wanted, place);
  }
  const names = JSON.parse(await readFile(join(here("from-skopeo"), "index.json"), "utf8")).manifests;
  assert.equal(names.length, 3, "one folder holds them all");
  await copy(`oci:${images}:awkward`, `oci:${here("from-skopeo")}:n1`);
  assert.equal(JSON.parse(await readFile(join(here("from-skopeo"), "index.json"), "utf8")).manifests.length, 3, "of a name there is one");
});

test("within a registry layers are mounted, and what is there is not sent", async () => {
  await copy(`oci:${images}:busybox`, remote("m/one:1"));
  const log = async () => await readFile(join(registry.dir, "log"), "utf8");
  const before = (await log()).length;
  await copy(remote("m/one:1"), remote("m/two:1"));
  const { steps } = await copy(remote("m/one:1"), remote("m/two:2"));
  const since = (await log()).slice(before);
  assert.match(since, /POST \/v2\/m\/two\/blobs\/uploads\/\?mount=/);
  assert.doesNotMatch(since, /"PATCH |"PUT \/v2\/m\/two\/blobs/);
  assert.ok(steps.some((s) => s.phase === "present"));
});

/** An index of two platforms with one layer in common, in a layout. */
async function twoPlatforms(name: string): Promise<{ place: string; arm: TinyImage; index: string }> {
  const common = layer([{ name: "common", content: "both" }]);
  const make = (architecture: string) =>
    image([common, layer([{ name: architecture, content: architecture }])], { config: { architecture } });
  const [amd, arm] = [make("amd64"), make("arm64")];
  const path = here(name);
  await writeLayout(path, { amd, arm });
  const type = "application/vnd.oci.image.manifest.v1+json";
  const entry = (i: TinyImage, architecture: string) => ({
    mediaType: type,
    digest: i.digest,
    size: i.manifest.length,
    platform: { os: "linux", architecture },
  });
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [entry(amd, "amd64"), entry(arm, "arm64")],
      annotations: { a: "b" },
    }),
  );
  await writeFile(join(path, "blobs/sha256", sha256(index).slice(7)), index);
  const manifests = [
    {
      mediaType: "application/vnd.oci.image.index.v1+json",
      digest: sha256(index),
      size: index.length,
      annotations: { "org.opencontainers.image.ref.name": "all" },
    },
  ];
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return { place: `oci:${path}:all`, arm, index: sha256(index) };
}

test("all platforms with their index, or one of them", async () => {
  const { place, arm, index } = await twoPlatforms("two");
  const all = { all: true };
  assert.equal((await copy(place, remote("two:1"), all)).digest, index);
  assert.equal((await copy(remote("two:1"), `dir:${here("two.dir")}`, all)).digest, index);
  assert.equal((await copy(`dir:${here("two.dir")}`, `oci-archive:${here("two.tar")}`, all)).digest, index);
  const platform = { os: "linux", architecture: "arm64", variant: "" };
  assert.equal((await copy(`oci-archive:${here("two.tar")}`, `oci:${here("two.arm")}`, { platform })).digest, arm.digest);
  // The other family has the same images under other digests, and skopeo agrees.
  await copy(place, remote("two:docker"), { ...all, format: "docker" });
  const list = JSON.parse(await skopeo("inspect", "--raw", remote("two:docker")));
  assert.equal(list.mediaType, "application/vnd.docker.distribution.manifest.list.v2+json");
  assert.equal(list.annotations, undefined);
  assert.equal(JSON.parse(await skopeo("inspect", "--override-arch", "arm64", remote("two:docker"))).Architecture, "arm64");
  assert.equal(
    (await imageError(copy(place, remote("two:x"), { platform: { ...platform, architecture: "s390x" } }))).code,
    "image-no-platform",
  );
  await copy(`dir:${here("two.dir")}`, `docker-archive:${here("two.docker.tar")}`, all);
  assert.equal(
    JSON.parse(await skopeo("inspect", `docker-archive:${here("two.docker.tar")}`)).Architecture,
    process.arch === "arm64" ? "arm64" : "amd64",
  );
});

test("annotations of a layer stay with its bytes: the table of zstd:chunked", async () => {
  const tiny = image([layer([{ name: "a", content: "a" }])]);
  const json = JSON.parse(tiny.manifest.toString());
  json.layers[0].annotations = { "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1" };
  json.annotations = { kept: "yes" };
  const changed = { ...tiny, manifest: Buffer.from(JSON.stringify(json)), digest: sha256(JSON.stringify(json)) };
  await writeLayout(here("noted"), { n: changed });
  assert.equal((await copy(`oci:${here("noted")}:n`, remote("noted:1"))).digest, changed.digest);
  await copy(remote("noted:1"), `dir:${here("noted.dir")}`, { compression: "zstd" });
  const made = JSON.parse(await readFile(join(here("noted.dir"), "manifest.json"), "utf8"));
  assert.equal(made.layers[0].annotations, undefined, "the bytes are others now");
  assert.deepEqual(made.annotations, { kept: "yes" });
});

test("nothing counts before all is there: damage at the source leaves the target as it was", async () => {
  const tiny = image([randomLayer("a", 300_000), randomLayer("b", 2_000_000)]);
  await writeLayout(here("bad"), { n: tiny });
  const blob = join(here("bad"), "blobs/sha256", tiny.layers[1]?.digest.slice(7) ?? "");
  const bytes = await readFile(blob);
  bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1;
  await writeFile(blob, bytes);
  await mkdir(here("targets"));
  await copy(`oci:${images}:busybox`, `oci:${here("targets/oci")}:old`);
  await copy(`oci:${images}:busybox`, `dir:${here("targets/dir")}`);
  const before = await readFile(join(here("targets/dir"), "manifest.json"));
  const targets = [
    `oci:${here("targets/oci")}:n`,
    `oci-archive:${here("targets/oa.tar")}`,
    `dir:${here("targets/dir")}`,
    `docker-archive:${here("targets/da.tar")}`,
  ];
  for (const target of [...targets, remote("bad:1")]) {
    assert.equal((await imageError(copy(`oci:${here("bad")}:n`, target))).code, "image-digest-mismatch", target);
    assert.equal(
      (await imageError(copy(`oci:${here("bad")}:n`, target, { compression: "zstd" }).then(() => ({ digest: "" })))).code.startsWith(
        "image-",
      ),
      true,
    );
  }
  assert.deepEqual((await readdir(here("targets"))).sort(), ["dir", "oci"]);
  assert.deepEqual(await readFile(join(here("targets/dir"), "manifest.json")), before);
  assert.match(await skopeo("inspect", `oci:${here("targets/oci")}:old`), /Digest/);
  assert.deepEqual(
    (await readdir(join(here("targets/oci"), "blobs/sha256"))).filter((n) => n.startsWith(".")),
    [],
  );
  await assert.rejects(skopeo("inspect", remote("bad:1")));
});

test("refused by name: what would overwrite, and what cannot be said", async () => {
  const source = `oci:${images}:awkward`;
  await writeFile(here("taken.tar"), "something");
  assert.match((await imageError(copy(source, `oci-archive:${here("taken.tar")}`))).message, /there is a .*taken\.tar already/);
  await mkdir(join(here("other"), "sub"), { recursive: true });
  for (const kind of ["dir", "oci"])
    assert.match((await imageError(copy(source, `${kind}:${here("other")}`))).message, /a folder of something else/);
  assert.equal((await stat(here("other/sub"))).isDirectory(), true);
  const forbidden = await imageError(copy(source, `docker-archive:${here("p.tar")}`, { preserve: true }));
  assert.match(forbidden.message, /--preserve-digests forbids/);
  assert.match((await imageError(copy(source, `dir:${here("q.dir")}`, { format: "docker", compression: "zstd" }))).message, /has no zstd/);
  assert.match((await imageError(copy(source, `oci:${here("q.oci")}`, { format: "docker" }))).message, /OCI manifests only/);
  assert.equal((await imageError(copy(`dir:${here("none")}`, `oci:${here("q.oci")}`))).code, "image-not-found");
  const wrong = `${remote("d/x")}@sha256:${"0".repeat(64)}`;
  assert.match((await imageError(copy(source, wrong))).message, /as it would be copied, not/);
});

test("into podgen's own store from every transport, and out of it again: the same image", async () => {
  const store = await makeStore();
  try {
    const into = createCopies({ ...store.options, settings: join(here("none")) });
    const source = `oci:${images}:awkward`;
    const wanted = await diffIds(source);
    await copy(source, remote("st/awkward:1"), { preserve: true });
    await copy(source, `dir:${here("st.dir")}`);
    await copy(source, `oci-archive:${here("st.tar")}:x`);
    await copy(source, `docker-archive:${here("st.docker.tar")}:localhost/awkward:1`);
    const places = [source, remote("st/awkward:1"), `dir:${here("st.dir")}`, `oci-archive:${here("st.tar")}:x`];
    for (const [i, from] of [...places, `docker-archive:${here("st.docker.tar")}`].entries()) {
      const name = `localhost/from:${i}`;
      const { digest } = await into.copy(from, `store:${name}`, plain, () => undefined);
      const facts = await store.images.inspect(name, "Never");
      assert.equal(facts.digest, digest);
      assert.equal(JSON.stringify(facts.layers), wanted, from);
      assert.equal(await store.images.has(facts), true);
    }
    await into.copy("store:localhost/from:1", "store:localhost/again:1", plain, () => undefined);
    await into.copy("store:localhost/again:1", `oci:${here("st.out")}:x`, plain, () => undefined);
    assert.equal(await diffIds(`oci:${here("st.out")}:x`), wanted);
    assert.deepEqual(await store.manage.fsck({ deep: true, repair: false, pinned: [], running: new Map() }), []);
    // What cannot be: other forms, a digest it is not, damage; a name keeps what it had.
    for (const wish of [{ all: true }, { format: "docker" }, { compression: "zstd" }] as const)
      assert.match(
        (await imageError(into.copy(source, "store:localhost/from:1", { ...plain, ...wish }, () => undefined))).message,
        /as it came/,
      );
    const other = `store:localhost/x@sha256:${"0".repeat(64)}`;
    assert.equal((await imageError(into.copy(source, other, plain, () => undefined))).code, "image-digest-mismatch");
    const tiny = image([randomLayer("a", 300_000)]);
    await writeLayout(here("st.bad"), { n: tiny });
    await copy(`oci:${here("st.bad")}:n`, `dir:${here("st.bad.dir")}`);
    const blob = join(here("st.bad.dir"), tiny.layers[0]?.digest.slice(7) ?? "");
    const bytes = await readFile(blob);
    bytes[200_000] = (bytes[200_000] ?? 0) ^ 1;
    await writeFile(blob, bytes);
    assert.equal(
      (await imageError(into.copy(`dir:${here("st.bad.dir")}`, "store:localhost/from:1", plain, () => undefined))).code,
      "image-digest-mismatch",
    );
    assert.equal(JSON.stringify((await store.images.inspect("localhost/from:1", "Never")).layers), wanted);
    assert.deepEqual(await store.leftovers(), []);
  } finally {
    await store.remove();
  }
});
