// Damage in the store: found, told with the images it is of, and mended by what is fetched anew.
import assert from "node:assert/strict";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Finding, FsckWishes } from "../../../src/ports/image-store.js";
import { oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, there } from "../../lib/store.js";
import { image, randomLayer } from "../../lib/tiny-image.js";

const odd = oddSetUp();
const LOOK: FsckWishes = { deep: false, repair: false, pinned: [], running: new Map() };
const fsck = (wishes: Partial<FsckWishes> = {}) => odd.store.manage.fsck({ ...LOOK, ...wishes });
const storage = (...parts: string[]) => join(odd.store.options.data, "storage", ...parts);
const layerOf = () => odd.store.layerPath(odd.first().diffId);
const blobOf = (digest: string) => storage("blobs/sha256", digest.slice(7));
const kinds = (findings: readonly Finding[]) => findings.map((f) => f.kind);

test("a store that is not there, and a whole one: nothing is found, also deep", async () => {
  assert.deepEqual(await fsck({ deep: true, repair: true }), []);
  await odd.store.pull(odd.reference);
  assert.deepEqual(await fsck(), []);
  assert.deepEqual(await fsck({ deep: true }), []);
});

const DAMAGE: readonly [string, () => Promise<unknown>, Finding["kind"], RegExp][] = [
  ["a layer that is gone", () => rm(layerOf(), { recursive: true }), "layer", /it is not there/],
  ["a file more in a layer", () => writeFile(join(layerOf(), "new"), ""), "layer", /1 more names/],
  ["a file less", () => rm(join(layerOf(), "a")), "layer", /1 fewer names/],
  ["another mode", () => chmod(join(layerOf(), "a"), 0o777), "layer", /owners, modes, times/],
  ["a recipe that is gone", () => rm(storage("recipes", `${odd.first().diffId.slice(7)}.gz`)), "layer", /its recipe is not there/],
  ["a manifest that is gone", () => rm(blobOf(odd.tiny.digest)), "manifest", /it is not there/],
  ["a manifest with other bytes", () => writeFile(blobOf(odd.tiny.digest), "{}"), "manifest", /not those of its digest/],
  ["a configuration cut short", () => writeFile(blobOf(odd.tiny.configDigest), "{"), "configuration", /not those of its digest/],
];
for (const [what, damage, kind, detail] of DAMAGE)
  test(`${what}: found, mended, and then there is nothing to be found`, async () => {
    await odd.store.pull(odd.reference);
    await damage();
    const found = await fsck();
    assert.deepEqual(kinds(found), [kind]);
    assert.match(found[0]?.detail ?? "", detail);
    assert.deepEqual([found[0]?.weight, found[0]?.images], ["damage", [odd.reference]]);
    assert.deepEqual(kinds(await fsck()), [kind], "looking changes nothing");
    const mended = await fsck({ repair: true });
    assert.deepEqual(
      mended.map((f) => [f.kind, f.mended]),
      [[kind, "fetched anew"]],
    ); // prettier-ignore
    assert.deepEqual(await fsck({ deep: true }), []);
    assert.deepEqual(await odd.store.leftovers(), []);
  });

test("content that was changed behind the times of the file: found by --deep alone", async () => {
  await odd.store.pull(odd.reference);
  const { utimes, stat } = await import("node:fs/promises");
  const file = join(layerOf(), "a");
  const { size, atime } = await stat(file);
  await writeFile(file, Buffer.alloc(size));
  await utimes(file, atime, 0);
  assert.deepEqual(await fsck(), []);
  assert.match((await fsck({ deep: true }))[0]?.detail ?? "", /the layer packs to sha256:/);
  assert.deepEqual(
    (await fsck({ deep: true, repair: true })).map((f) => f.mended),
    ["fetched anew"],
  ); // prettier-ignore
  assert.deepEqual(await fsck({ deep: true }), []);
});

test("a damaged record is removed, as nobody can tell what it was of; what killed podgens left, too", async () => {
  await odd.store.pull(odd.reference);
  const [record = ""] = await readdir(storage("images"));
  await writeFile(storage("images", record), "{");
  await mkdir(storage("layers", `.tmp-${"0".repeat(64)}-x`));
  await writeFile(storage("recipes", `${"0".repeat(64)}.json`), "{}");
  const found = await fsck({ repair: true });
  assert.deepEqual(
    found.filter((f) => f.kind !== "unneeded").map((f) => [f.kind, f.mended]),
    [
      ["record", "removed"],
      ["leftover", "removed"],
      ["leftover", "removed"],
    ],
  ); // prettier-ignore
  assert.equal(found.filter((f) => f.kind === "unneeded").length, 2, "its layers are prune's");
  assert.deepEqual(kinds(await fsck()), ["unneeded", "unneeded"]);
});

test("a registry that is gone: the damage stays, is told, and the image does not count as there", async () => {
  await odd.store.pull(odd.reference);
  await rm(join(layerOf(), "a"));
  await odd.registry.stop();
  const [found] = await fsck({ repair: true });
  assert.equal(found?.mended, undefined);
  assert.match(found?.detail ?? "", /fetching it anew failed: .*ECONNREFUSED/);
  assert.equal(await odd.store.images.has(await odd.store.images.inspect(odd.reference, "Never")), false);
});

test("a second name of the image is mended with the first, though no registry has it", async () => {
  await odd.store.pull(odd.reference);
  await odd.store.manage.tag(odd.reference, "localhost/mine:1");
  await rm(join(layerOf(), "a"));
  assert.deepEqual(
    (await fsck({ repair: true })).map((f) => f.mended),
    ["fetched anew"],
  ); // prettier-ignore
});

test("a layer of a pod that runs is not taken away under it", async () => {
  await odd.store.pull(odd.reference);
  await rm(join(layerOf(), "a"));
  const running = new Map([[odd.tiny.digest, ["web"]]]);
  const [found] = await fsck({ repair: true, running });
  assert.match(found?.detail ?? "", /podgen stop web/);
  assert.equal(found?.mended, undefined);
  assert.ok(await there(layerOf()));
});

test("a layer that only a pod needs, its image's name having moved on, is not taken away, whether the pod runs or not", async () => {
  await odd.store.pull(odd.reference);
  await writeFile(join(layerOf(), "new"), "");
  await odd.store.manage.untag(odd.reference);
  const pinned = [odd.tiny.digest];
  const [stopped] = await fsck({ repair: true, pinned });
  assert.match(stopped?.detail ?? "", /a pod needs it: podgen image pull/);
  const [running] = await fsck({ repair: true, pinned, running: new Map([[odd.tiny.digest, ["web"]]]) });
  assert.match(running?.detail ?? "", /podgen stop web/);
  assert.equal(await there(layerOf()), true);
  await odd.store.pull(odd.reference);
  await fsck({ repair: true });
});

test("layers of before anything was remembered are told, and left alone", async () => {
  await odd.store.pull(odd.reference);
  await rm(storage("recipes"), { recursive: true });
  const found = await fsck({ repair: true });
  assert.deepEqual(
    found.map((f) => [f.kind, f.weight]),
    [
      ["unknown", "note"],
      ["unknown", "note"],
    ],
  ); // prettier-ignore
  const error = await imageError(
    (async () => {
      for await (const _ of odd.store.manage.save([{ reference: odd.reference, names: [] }], "oci-archive"));
    })(),
  ); // prettier-ignore
  assert.match(error.message, /nothing is remembered to pack it again with/);
});

test("repair waits for nobody longer than it says, and others wait for it", async () => {
  await odd.store.pull(odd.reference);
  const { acquire } = await import("../../../src/host/image/lock.js");
  const lock = await acquire(storage("locks/store"), "shared", 0, () => false);
  assert.ok(lock);
  assert.deepEqual(await fsck(), [], "looking shares the store");
  assert.match((await imageError(fsck({ repair: true }))).message, /another podgen works on the store/);
  await lock.release();
  assert.deepEqual(await fsck({ repair: true }), []);
});

test("prune refuses to guess which layers a pod's image has", async () => {
  await odd.store.pull(odd.reference);
  odd.registry.add("tiny", image([randomLayer("n", 1000)]));
  await odd.store.pull(odd.reference, "Always");
  await rm(blobOf(odd.tiny.digest));
  assert.match((await imageError(odd.store.prune([odd.tiny.digest]))).message, /which layers it has cannot be told any more/);
  assert.ok(await there(layerOf()));
  assert.equal((await odd.store.prune())?.layers.length, 2, "nobody needs it");
});
