// Saving and loading: layers leave the store with the bytes they came with, and others read what is written.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { ArchiveFormat } from "../../../src/ports/image-store.js";
import { oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, makeStore, type TestStore, there } from "../../lib/store.js";
import { image, layer, randomLayer, sha256, type TinyImage } from "../../lib/tiny-image.js";

const odd = oddSetUp();
const run = promisify(execFile);

async function saveTo(store: TestStore, file: string, format: ArchiveFormat, ...images: [string, string[]][]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.manage.save(
    images.map(([reference, names]) => ({ reference, names })),
    format,
  ))
    pieces.push(piece); // prettier-ignore
  const bytes = Buffer.concat(pieces);
  await writeFile(file, bytes);
  return bytes;
}

/** What skopeo copies out of an archive: every digest on the way is checked by it. */
async function skopeoCopy(store: TestStore, source: string): Promise<{ config: string; layers: string[] }> {
  const to = join(store.folder, "copied");
  await rm(to, { recursive: true, force: true });
  await run("skopeo", ["--insecure-policy", "copy", "-q", source, `dir:${to}`], { timeout: 60_000 });
  const manifest = JSON.parse(await readFile(join(to, "manifest.json"), "utf8"));
  return { config: manifest.config.digest, layers: manifest.layers.map((l: { digest: string }) => l.digest) };
}

const diffIds = (tiny: TinyImage) => tiny.layers.map((l) => l.diffId);

for (const format of ["oci-archive", "docker-archive"] as const)
  test(`${format}: two images in one, read by skopeo, with the configurations and the layers they came with`, async () => {
    const other = image([odd.first(), randomLayer("c", 1000)]);
    const second = odd.registry.add("other", other);
    await odd.store.pull(odd.reference);
    await odd.store.pull(second);
    const file = join(odd.store.folder, "a.tar");
    const bytes = await saveTo(
      odd.store,
      file,
      format,
      [odd.reference, ["registry.test/x:1", "registry.test/x:2"]],
      [second, ["registry.test/y:1"]],
    );
    assert.ok(bytes.length < 330_000, "the shared layer is in it once");
    assert.ok(
      bytes.equals(
        await saveTo(odd.store, file, format, [odd.reference, ["registry.test/x:1", "registry.test/x:2"]], [second, ["registry.test/y:1"]]),
      ),
    );
    for (const [name, tiny] of [
      ["registry.test/x:2", odd.tiny],
      ["registry.test/y:1", other],
    ] as const) {
      // prettier-ignore
      const copied = await skopeoCopy(odd.store, `${format}:${file}:${name}`);
      if (format === "oci-archive") assert.equal(copied.config, tiny.configDigest);
      assert.deepEqual(copied.layers, diffIds(tiny));
    }
  });

for (const format of ["oci-archive", "docker-archive"] as const)
  test(`${format}: loaded into an empty store it is the same image, under its names or a new one`, async (t) => {
    await odd.store.pull(odd.reference);
    const file = join(odd.store.folder, "a.tar");
    await saveTo(odd.store, file, format, [odd.reference, ["registry.test/x:1"]]);
    const empty = await makeStore();
    t.after(() => empty.remove());
    const [found, ...more] = await empty.manage.contents(file);
    assert.ok(found);
    assert.deepEqual([found.names, more], [["registry.test/x:1"], []]);
    await empty.manage.load(found, ["registry.test/x:1", "localhost/mine:1"], () => undefined);
    const images = await empty.manage.list();
    assert.deepEqual(
      images.map((i) => i.reference),
      ["localhost/mine:1", "registry.test/x:1"],
    ); // prettier-ignore
    assert.deepEqual(new Set(images.map((i) => i.configDigest)), new Set([odd.tiny.configDigest]));
    assert.deepEqual(images[0]?.layers, diffIds(odd.tiny));
    assert.deepEqual(await empty.leftovers(), []);
  });

test("keepBlobs: the image comes out under its own digest, compressed as it was", async (t) => {
  const keeping = await makeStore();
  t.after(() => keeping.remove());
  await mkdir(join(keeping.folder, "settings"));
  await writeFile(join(keeping.folder, "settings/storage.json"), '{"keepBlobs":true}');
  await keeping.pull(odd.reference);
  const file = join(keeping.folder, "a.tar");
  await saveTo(keeping, file, "oci-archive", [odd.reference, ["registry.test/x:1"]]);
  const { stdout } = await run("skopeo", ["inspect", "--raw", `oci-archive:${file}:registry.test/x:1`]);
  assert.equal(sha256(stdout), odd.tiny.digest);
  assert.deepEqual(
    (await skopeoCopy(keeping, `oci-archive:${file}`)).layers,
    odd.tiny.layers.map((l) => l.digest),
  ); // prettier-ignore
  assert.deepEqual(await keeping.prune(), { layers: [], blobs: 0 }, "they are needed");
  await keeping.manage.untag(odd.reference);
  assert.deepEqual(await keeping.prune(), { layers: diffIds(odd.tiny).sort(), blobs: 4 });
});

test("a layer with one name twice has no recipe: its blob is kept, and the image comes out all the same", async () => {
  const twice = image([
    layer([
      { name: "a", content: "1" },
      { name: "a", content: "2" },
    ]),
  ]); // prettier-ignore
  const reference = odd.registry.add("twice", twice);
  await odd.store.pull(reference);
  assert.ok(await there(`${odd.store.options.data}/storage/blobs/sha256/${twice.layers[0]?.digest.slice(7)}`));
  const file = join(odd.store.folder, "a.tar");
  await saveTo(odd.store, file, "oci-archive", [reference, ["registry.test/x:1"]]);
  const { stdout } = await run("skopeo", ["inspect", "--raw", `oci-archive:${file}`]);
  assert.equal(sha256(stdout), twice.digest);
  await saveTo(odd.store, file, "docker-archive", [reference, ["registry.test/x:1"]]);
  assert.deepEqual((await skopeoCopy(odd.store, `docker-archive:${file}`)).layers, diffIds(twice));
  assert.deepEqual(await odd.store.leftovers(), []);
});

test("a damaged layer is never written as if it were whole", async () => {
  await odd.store.pull(odd.reference);
  await writeFile(join(odd.store.layerPath(odd.first().diffId), "a"), Buffer.alloc(300_000));
  const error = await imageError(saveTo(odd.store, join(odd.store.folder, "a.tar"), "oci-archive", [odd.reference, []]));
  assert.equal(error.code, "image-store");
  assert.match(`${error.message} ${error.hint}`, /is damaged: the layer packs to .* podgen image fsck --repair/);
});

test("what cannot be saved or loaded is told", async () => {
  await odd.store.pull(odd.reference);
  const second = odd.registry.add("other", image([randomLayer("c", 1000)]));
  await odd.store.pull(second);
  const file = join(odd.store.folder, "a.tar");
  const save = (...images: [string, string[]][]) => imageError(saveTo(odd.store, file, "oci-archive", ...images));
  assert.equal((await save(["registry.test/absent:1", []])).code, "image-not-found");
  assert.match((await save([odd.reference, ["x/y:1"]], [second, ["x/y:1"]])).message, /cannot both be x\/y:1/);
  await writeFile(file, "no tar at all".repeat(100));
  assert.match((await imageError(odd.store.manage.contents(file))).message, /it is no tar file/);
  await run("tar", ["-cf", file, "-C", odd.store.folder, "data/storage/images"]);
  assert.match((await imageError(odd.store.manage.contents(file))).message, /neither manifest\.json nor index\.json/);
  assert.equal((await imageError(odd.store.manage.contents("/nonexistent.tar"))).code, "image-not-found");
});
