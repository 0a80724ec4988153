// Several podgens over one store, and podgens that are killed.
import assert from "node:assert/strict";
import { chmod, readdir, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { forgetImage, listImages } from "../../../src/host/image/prune.js";
import { buildDriver, type DriverProgram } from "../../lib/driver.js";
import { OddRegistry } from "../../lib/odd-registry.js";
import { makeStore, needPodrt, podrt, type TestStore, there } from "../../lib/store.js";
import { image, randomLayer, type TinyImage, type TinyLayer } from "../../lib/tiny-image.js";

let program: DriverProgram;
let registry: OddRegistry;
let store: TestStore;
let tiny: TinyImage;
let reference: string;

before(async () => {
  await needPodrt();
  program = await buildDriver();
});
after(() => program.remove());
beforeEach(async () => {
  registry = await new OddRegistry().start();
  store = await makeStore();
  tiny = image([randomLayer("a", 300_000), randomLayer("b", 200_000)]);
  reference = registry.add("tiny", tiny);
});
afterEach(async () => {
  await store.remove();
  await registry.stop();
});

const first = () => tiny.layers[0] as TinyLayer;
const start = (program_ = podrt) => program.start([process.execPath], reference, store.options.data, program_);

/** Waits until `check` holds, at most ten seconds. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await check())) {
    assert.ok(performance.now() < end, `it never came: ${check}`);
    await sleep(20);
  }
}

/** Sends a blob in ten pieces, a little apart. */
function slowly(response: ServerResponse, blob: Buffer): void {
  response.writeHead(200, { "content-length": blob.length });
  const size = Math.ceil(blob.length / 10);
  let at = 0;
  const timer = setInterval(() => {
    response.write(blob.subarray(at, at + size));
    at += size;
    if (at < blob.length) return;
    clearInterval(timer);
    response.end();
  }, 150);
}

test("two processes pull one image at once: each layer comes over the network once", async () => {
  registry.answer = (request, response) => {
    const blob = tiny.layers.find((l) => request.url?.endsWith(`/blobs/${l.digest}`))?.blob;
    if (blob === undefined) return false;
    slowly(response, blob);
    return true;
  };
  const drivers = [start(), start()];
  for (const { end, has, message } of (await Promise.all(drivers.map((d) => d.ended))).map(
    (e) => e ?? { end: "killed", has: false, message: "" },
  )) {
    assert.deepEqual({ end, has }, { end: "ok", has: true }, message);
  }
  for (const { digest } of tiny.layers) assert.equal(registry.blobRequests(digest).length, 1, digest);
  assert.deepEqual(await store.leftovers(), []);
});

test("two ensures in one process, of images that share a layer", async () => {
  const other = registry.add("other", image([first(), randomLayer("c", 1000)]));
  await Promise.all([store.pull(reference), store.pull(other)]);
  assert.equal(registry.blobRequests(first().digest).length, 1);
  assert.deepEqual(await store.leftovers(), []);
});

for (const [what, name] of [
  ["a download", undefined],
  ["a copy into the store", "localhost/copied:1"],
] as const)
  test(`kill -9 in the middle of ${what}: nothing counts as present, the next one resumes`, async () => {
    const half = Math.floor(first().blob.length / 2);
    registry.answer = (request, response) => {
      if (!request.url?.endsWith(`/blobs/${first().digest}`)) return false;
      response.writeHead(200, { "content-length": first().blob.length });
      response.write(first().blob.subarray(0, half));
      return true;
    };
    const driver = program.start([process.execPath], reference, store.options.data, podrt, name);
    const partial = `${store.options.data}/storage/blobs/sha256/${first().digest.slice(7)}.partial`;
    await eventually(async () => ((await stat(partial).catch(() => undefined))?.size ?? 0) >= half);
    // The other layer's lock would stay if its holder were killed between the rename into place and the lock's removal; prune takes it then.
    const other = tiny.layers[1] as TinyLayer;
    const held = () => there(`${store.options.data}/storage/locks/${other.diffId.slice(7)}`);
    await eventually(async () => (await there(store.layerPath(other.diffId))) && !(await held()));
    driver.process.kill("SIGKILL");
    await driver.ended;
    assert.equal(await there(store.layerPath(first().diffId)), false);
    assert.deepEqual(await listImages(store.options.data), []);
    registry.answer = () => false;
    registry.seen.length = 0;
    assert.deepEqual((await program.start([process.execPath], reference, store.options.data, podrt, name).ended)?.end, "ok");
    const ranges = registry.blobRequests(first().digest).map((s) => s.range);
    // One, or more where a busy machine lets a second of silence pass; none of them asks for what is there.
    assert.ok(ranges.length > 0 && ranges.every((r) => Number(/^bytes=(\d+)-$/.exec(r ?? "")?.[1]) >= half), ranges.join());
    assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true);
    assert.deepEqual(
      (await listImages(store.options.data)).map((i) => [i.reference, i.digest]),
      [[name ?? reference, tiny.digest]],
    );
    assert.deepEqual(await store.leftovers(), []);
  });

test("kill -9 while podrt still works: the next one waits until it has gone, then clears up and does it anew", async () => {
  // As podrt, but with a pause between the whole layer and its exit.
  const slow = `${store.folder}/podrt`;
  await writeFile(slow, `#!/bin/bash\n${podrt} "$@" || exit\n[ "$1" = layer ] && { touch ${store.folder}/unpacked; sleep 3; }\nexit 0\n`);
  await chmod(slow, 0o755);
  const driver = start(slow);
  await eventually(async () => there(`${store.folder}/unpacked`));
  driver.process.kill("SIGKILL");
  await driver.ended;
  const killed = performance.now();
  assert.equal(await there(store.layerPath(first().diffId)), false);
  assert.notDeepEqual(
    (await readdir(`${store.options.data}/storage/layers`)).filter((n) => n.startsWith(".tmp-")),
    [],
  ); // prettier-ignore
  assert.equal((await start().ended)?.end, "ok");
  assert.ok(performance.now() - killed > 2000, "it has waited for the podrt that was left alone");
  assert.deepEqual(await store.leftovers(), []);
});

test("prune: what no record and no pin needs goes; what killed pulls left goes too; it waits for pulls", async () => {
  const shared = image([first(), randomLayer("c", 1000)]);
  const other = registry.add("other", shared);
  await store.pull(reference);
  await store.pull(other);
  assert.deepEqual((await listImages(store.options.data)).map((i) => i.reference).sort(), [reference, other].sort()); // prettier-ignore
  assert.deepEqual(await store.prune(), { layers: [], blobs: 0 });

  assert.equal(await forgetImage(store.options.data, other), true);
  assert.equal(await forgetImage(store.options.data, other), false);
  assert.deepEqual(await store.prune([shared.digest]), { layers: [], blobs: 0 }, "pinned by a pod");
  assert.deepEqual(await store.prune(), { layers: [shared.layers[1]?.diffId], blobs: 2 });
  assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true, "the shared layer stays");

  await writeFile(`${store.options.data}/storage/layers/.tmp-${"0".repeat(64)}-x`, "");
  await writeFile(`${store.options.data}/storage/locks/${"0".repeat(64)}`, "");
  let release = () => {};
  registry.answer = (request, response) => {
    const blob = shared.layers[1];
    if (blob === undefined || !request.url?.endsWith(blob.digest)) return false;
    release = () => slowly(response, blob.blob);
    return true;
  };
  const driver = program.start([process.execPath], other, store.options.data, podrt);
  await driver.until((s) => s.phase === "download");
  await eventually(async () => registry.blobRequests(shared.layers[1]?.digest).length >= 2);
  const pruning = store.prune();
  release();
  assert.equal((await driver.ended)?.end, "ok");
  assert.deepEqual(await pruning, { layers: [], blobs: 0 }, "it came after the pull, which needs its layers");
  assert.deepEqual(await store.leftovers(), []);
});
