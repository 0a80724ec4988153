// What one image may take: bounds of a layer, a disk that is full half-way, and others who remove what is being pulled.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createCopies } from "../../../src/host/image/copy/index.js";
import { buildDriver, type DriverProgram } from "../../lib/driver.js";
import { oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, makeStore, podrt, there } from "../../lib/store.js";
import { image, layer, randomLayer, sha256, type TinyLayer, tar } from "../../lib/tiny-image.js";

const odd = oddSetUp();

async function set(settings: object): Promise<void> {
  await mkdir(join(odd.store.folder, "settings"), { recursive: true });
  await writeFile(join(odd.store.folder, "settings/storage.json"), JSON.stringify(settings));
}

/** A layer of a gibibyte and a half of zeros, in a file of a few kilobytes of gzip members. */
function bomb(): TinyLayer {
  const head = tar([{ name: "zeros", content: "" }]).subarray(0, 512);
  const size = 3 * 2 ** 29;
  head.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  head.fill(" ", 148, 156);
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  ); // prettier-ignore
  const zeros = gzipSync(Buffer.alloc(2 ** 20), { level: 9 });
  const blob = Buffer.concat([gzipSync(head), ...Array.from({ length: 1536 }, () => zeros), gzipSync(Buffer.alloc(1024))]);
  return {
    tar: head,
    blob,
    digest: sha256(blob),
    diffId: `sha256:${"0".repeat(64)}`,
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  };
}

test("a copy that compresses anew keeps to them, too", async () => {
  const from = `docker://${odd.registry.add("large", image([randomLayer("a", 50_000)]))}`;
  const copies = createCopies({ ...odd.store.options, settings: join(odd.store.folder, "settings") });
  const copy = () =>
    copies.copy(from, `oci:${odd.store.folder}/out:x`, { all: false, preserve: false, compression: "zstd" }, () => undefined);
  for (const [limits, message] of [
    [{ bytes: 20_000 }, /more than 20000 bytes/],
    [{ bytes: 100_000, entries: 1 }, undefined],
  ] as const) {
    await set({ layerLimits: limits });
    if (message === undefined) await copy();
    else {
      const error = await imageError(copy());
      assert.deepEqual([error.code, message.test(error.message)], ["image-bad", true], error.message);
    }
  }
});

const LIMITS: readonly [string, () => TinyLayer, object, RegExp][] = [
  ["bytes", () => randomLayer("a", 50_000), { bytes: 20_000 }, /more than 20000 bytes/],
  ["entries", () => layer([{ name: "a" }, { name: "b" }, { name: "c" }]), { entries: 2 }, /more than 2 entries/],
  ["ratio", bomb, { ratio: 100 }, /more than 100 times its size/],
]; // prettier-ignore
for (const [name, make, limits, message] of LIMITS)
  test(`layerLimits.${name}: told as the image's fault, and nothing of the layer stays`, async () => {
    await set({ layerLimits: limits });
    const one = make();
    const reference = odd.registry.add("large", image([one]));
    const error = await imageError(odd.store.pull(reference));
    assert.equal(error.code, "image-bad");
    assert.match(error.message, message);
    assert.equal(await there(odd.store.layerPath(one.diffId)), false);
    assert.deepEqual(
      (await odd.store.leftovers()).filter((path) => !path.endsWith(".partial")),
      [],
    ); // prettier-ignore
    if (name === "ratio") return;
    await set({});
    await odd.store.again().ensure(await odd.store.images.inspect(reference, "Always"), () => undefined);
  });

test("settings that are wrong stop a pull before anything is fetched", async () => {
  await set({ layerLimit: {} });
  await assert.rejects(odd.store.pull(odd.reference), /unknown member "layerLimit"/);
  assert.equal(odd.registry.blobRequests(odd.first().digest).length, 0);
});

test("a disk that is full half-way: told with what to do; when there is room, the pull goes on and nothing is left", async (t) => {
  const store = await makeStore();
  const data = store.options.data;
  await mkdir(data);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=400k", "tmpfs", data]);
  t.after(async () => {
    execFileSync("umount", [data]);
    await store.remove();
  });
  const error = await imageError(store.pull(odd.reference));
  assert.equal(error.code, "image-store");
  assert.match(`${error.message} ${error.hint}`, /No space left|ENOSPC/);
  assert.match(error.hint ?? "", /disk is full: make room/);
  assert.equal(await there(store.layerPath(odd.first().diffId)), false);
  assert.deepEqual(
    (await store.leftovers()).filter((path) => !path.endsWith(".partial")),
    [],
  ); // prettier-ignore
  execFileSync("mount", ["-o", "remount,size=8m", data]);
  await store.again().ensure(await store.images.inspect(odd.reference, "Always"), () => undefined);
  assert.deepEqual(await store.manage.fsck({ deep: true, repair: false, pinned: [], running: new Map() }), []);
  assert.deepEqual(await store.leftovers(), []);
});

let program: DriverProgram | undefined;
after(() => program?.remove());

test("some pull an image while others remove it, again and again: every end is whole", { timeout: 120_000 }, async () => {
  program = await buildDriver();
  const { data } = odd.store.options;
  const pulls = async () => {
    for (let i = 0; i < 4; i++) {
      const end = await program?.start([process.execPath], odd.reference, data, podrt).ended;
      assert.equal(end?.end, "ok", end?.message);
    }
  };
  let pulling = true;
  const removes = async () => {
    for (let i = 0; pulling; i++) {
      if (i % 2 === 0) await odd.store.manage.untag(odd.reference);
      await odd.store.prune();
    }
  };
  await Promise.all([Promise.all([pulls(), pulls()]).finally(() => (pulling = false)), removes()]); // prettier-ignore
  await odd.store.prune();
  // Either it is there, or it is not: no half.
  const records = await odd.store.manage.list();
  const layers = (await readdir(join(data, "storage/layers"))).filter((name) => !name.startsWith("."));
  assert.equal(layers.length, records.length === 0 ? 0 : 2);
  assert.deepEqual(await odd.store.manage.fsck({ deep: true, repair: false, pinned: [], running: new Map() }), []);
  assert.deepEqual(await odd.store.leftovers(), []);
});

test("while somebody holds the store, what is pulled is not removed, though no name has it any more", async () => {
  const release = await odd.store.images.hold();
  await odd.store.pull(odd.reference);
  await odd.store.manage.untag(odd.reference);
  assert.equal(await odd.store.manage.prune(async () => ({ pinned: [] })), undefined, "it gives up after its second");
  assert.ok(await there(odd.store.layerPath(odd.first().diffId)));
  await release();
  assert.equal((await odd.store.manage.prune(async () => ({ pinned: [] })))?.layers.length, 2);
});
