// Layers that come wrong, one way per test: what is reported, that nothing counts as present, and what a next try costs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { refuse, sendBlob } from "../../lib/odd-registry.js";
import { cutAfter, done, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, there } from "../../lib/store.js";
import { image, randomLayer, sha256 } from "../../lib/tiny-image.js";

const odd = oddSetUp();

test("it goes well when nothing is wrong, and a second ensure asks nobody", async () => {
  const steps = await odd.store.pull(odd.reference);
  assert.deepEqual(
    steps
      .filter((s) => s.phase === "done")
      .map((s) => s.layer)
      .sort(),
    odd.tiny.layers.map((l) => l.diffId).sort(),
  ); // prettier-ignore
  assert.equal(await there(`${odd.store.layerPath(odd.first().diffId)}/a`), true);
  assert.deepEqual(await odd.store.leftovers(), []);
  const asked = odd.registry.seen.length;
  const facts = await odd.store.again().inspect(odd.reference, "IfNotPresent");
  await odd.store.again().ensure(facts, () => assert.fail("nothing to do"));
  assert.equal(odd.registry.seen.length, asked);
});

test("a blob of the right length with other bytes", async () => {
  const wrong = Buffer.from(odd.first().blob);
  wrong[wrong.length - 20_000] = (wrong[wrong.length - 20_000] ?? 0) ^ 1;
  odd.registry.blobs.set(odd.first().digest, wrong);
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-digest-mismatch");
  assert.ok(error.message.includes(odd.first().digest) && error.message.includes(sha256(wrong)), error.message);
  await odd.absent();
});

test("a blob that is longer or shorter than its manifest says, with and without Content-Length", async () => {
  for (const length of [odd.first().blob.length + 1, odd.first().blob.length - 1]) {
    for (const declared of [true, false]) {
      odd.registry.answer = (request, response) => {
        if (!odd.isFirst(request.url)) return false;
        const body = Buffer.concat([odd.first().blob, Buffer.alloc(1)]).subarray(0, length);
        if (request.headers.range !== undefined) return done(refuse(response, 416, "RANGE_INVALID"));
        if (declared) response.writeHead(200, { "content-length": length });
        response.end(body);
        return true;
      };
      const error = await imageError(odd.store.pull(odd.reference));
      assert.equal(error.code, "image-digest-mismatch", `${length} ${declared}: ${error.message}`);
      await odd.absent();
    }
  }
});

test("a layer whose bytes are right but unpack to another diff_id", async () => {
  const other = randomLayer("c", 1000);
  const forged = image([{ ...odd.first(), diffId: other.diffId }]);
  odd.reference = odd.registry.add("forged", forged);
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-digest-mismatch");
  assert.equal(await there(odd.store.layerPath(other.diffId)), false);
  assert.deepEqual(await odd.store.leftovers(), []);
});

test("a cut in the middle of a blob is mended by a range, and nothing comes twice", async () => {
  let cuts = 0;
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url) || cuts++ > 0) return false;
    cutAfter(response, odd.first().blob, 100_000);
    return true;
  };
  await odd.store.pull(odd.reference);
  const ranges = odd.registry.blobRequests(odd.first().digest).map((s) => s.range);
  assert.equal(ranges.length, 2);
  assert.match(ranges[1] ?? "", /^bytes=\d+-$/);
  assert.equal(await there(`${odd.store.layerPath(odd.first().diffId)}/a`), true);
});

test("a registry that cuts off for good: the next ensure, in another process's shoes, goes on from there", async () => {
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url)) return false;
    if (request.headers.range === undefined) cutAfter(response, odd.first().blob, 200_000);
    else response.destroy();
    return true;
  };
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-unreachable");
  await odd.absent(1);
  odd.registry.answer = () => false;
  odd.registry.seen.length = 0;
  const images = odd.store.again();
  await images.ensure(await images.inspect(odd.reference, "IfNotPresent"), () => undefined);
  const ranges = odd.registry.blobRequests(odd.first().digest).map((s) => s.range);
  assert.equal(ranges.length, 1);
  assert.ok(Number(/^bytes=(\d+)-$/.exec(ranges[0] ?? "")?.[1]) >= 100_000, ranges[0]);
  assert.deepEqual(await odd.store.leftovers(), []);
});

test("a registry without ranges sends all again, and the part that was there is skipped", async () => {
  let cuts = 0;
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url)) return false;
    if (cuts++ === 0) cutAfter(response, odd.first().blob, 100_000);
    else sendBlob(response, odd.first().blob, undefined);
    return true;
  };
  await odd.store.pull(odd.reference);
  assert.equal(await there(`${odd.store.layerPath(odd.first().diffId)}/a`), true);
});

test("a kept part that a crash has torn is thrown away and the layer fetched anew", async () => {
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url)) return false;
    cutAfter(response, Buffer.alloc(odd.first().blob.length, 1), 200_000);
    return request.headers.range === undefined || done(response.destroy());
  };
  await imageError(odd.store.pull(odd.reference));
  odd.registry.answer = () => false;
  await odd.store.pull(odd.reference);
  assert.equal(await there(`${odd.store.layerPath(odd.first().diffId)}/a`), true);
});

test("another range than asked for is refused", async () => {
  let cuts = 0;
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url)) return false;
    if (cuts++ === 0) cutAfter(response, odd.first().blob, 100_000);
    else {
      response.writeHead(206, { "content-range": `bytes 0-${odd.first().blob.length - 1}/${odd.first().blob.length}` });
      response.end(odd.first().blob);
    }
    return true;
  };
  assert.equal((await imageError(odd.store.pull(odd.reference))).code, "image-bad");
});

test("a drip and a silence end by their deadlines", async () => {
  let timer: NodeJS.Timeout | undefined;
  for (const drip of [true, false]) {
    odd.registry.answer = (request, response) => {
      if (!odd.isFirst(request.url)) return false;
      response.writeHead(200, { "content-length": odd.first().blob.length });
      response.write("x");
      if (drip) {
        timer = setInterval(() => response.write("x"), 100);
        response.on("close", () => clearInterval(timer));
      }
      return true;
    };
    const began = performance.now();
    const error = await imageError(odd.store.pull(odd.reference));
    assert.equal(error.code, "image-unreachable");
    assert.match(error.message, drip ? /too slowly/ : /sent nothing/);
    assert.ok(performance.now() - began < 10_000);
  }
  clearInterval(timer);
});
