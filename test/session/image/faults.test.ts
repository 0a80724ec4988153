// A registry that does it wrong, one way per test: what is reported, that nothing counts as present, and what a next try costs.
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { afterEach, before, beforeEach, test } from "node:test";
import { OddRegistry, refuse, sendBlob } from "../../lib/odd-registry.js";
import { imageError, makeStore, needPodrt, QUICK, type TestStore, there } from "../../lib/store.js";
import { image, randomLayer, sha256, type TinyImage } from "../../lib/tiny-image.js";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
let registry: OddRegistry;
let store: TestStore;
let tiny: TinyImage;
let reference: string;

before(needPodrt);
beforeEach(async () => {
  registry = await new OddRegistry().start();
  store = await makeStore();
  tiny = image([randomLayer("a", 300_000), randomLayer("b", 10_000)]);
  reference = registry.add("tiny", tiny);
});
afterEach(async () => {
  await store.remove();
  await registry.stop();
});

const first = () => tiny.layers[0] as TinyImage["layers"][0];
const isFirst = (url: string | undefined) => url?.endsWith(`/blobs/${first().digest}`) === true;

/** For an `answer` that has answered. */
const done = (_: unknown): true => true;

/** The image is neither recorded nor is its first layer there; nothing lies about but what a resume may use. */
async function absent(partials = 0): Promise<void> {
  assert.equal(await there(store.layerPath(first().diffId)), false);
  const found = await store.leftovers();
  assert.equal(found.length, partials, found.join());
  assert.ok(
    found.every((path) => path.endsWith(".partial")),
    found.join(),
  ); // prettier-ignore
  assert.equal((await imageError(store.again().inspect(reference, "Never"))).code, "image-not-found");
}

/** Sends the head of a whole blob but only `bytes` of its body, then cuts the connection. */
function cutAfter(response: ServerResponse, blob: Buffer, bytes: number): void {
  response.writeHead(200, { "content-length": blob.length });
  response.write(blob.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
}

test("it goes well when nothing is wrong, and a second ensure asks nobody", async () => {
  const steps = await store.pull(reference);
  assert.deepEqual(
    steps
      .filter((s) => s.phase === "done")
      .map((s) => s.layer)
      .sort(),
    tiny.layers.map((l) => l.diffId).sort(),
  ); // prettier-ignore
  assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true);
  assert.deepEqual(await store.leftovers(), []);
  const asked = registry.seen.length;
  const facts = await store.again().inspect(reference, "IfNotPresent");
  await store.again().ensure(facts, () => assert.fail("nothing to do"));
  assert.equal(registry.seen.length, asked);
});

test("a blob of the right length with other bytes", async () => {
  const wrong = Buffer.from(first().blob);
  wrong[wrong.length - 20_000] = (wrong[wrong.length - 20_000] ?? 0) ^ 1;
  registry.blobs.set(first().digest, wrong);
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-digest-mismatch");
  assert.ok(error.message.includes(first().digest) && error.message.includes(sha256(wrong)), error.message);
  await absent();
});

test("a blob that is longer or shorter than its manifest says, with and without Content-Length", async () => {
  for (const length of [first().blob.length + 1, first().blob.length - 1]) {
    for (const declared of [true, false]) {
      registry.answer = (request, response) => {
        if (!isFirst(request.url)) return false;
        const body = Buffer.concat([first().blob, Buffer.alloc(1)]).subarray(0, length);
        if (request.headers.range !== undefined) return done(refuse(response, 416, "RANGE_INVALID"));
        if (declared) response.writeHead(200, { "content-length": length });
        response.end(body);
        return true;
      };
      const error = await imageError(store.pull(reference));
      assert.equal(error.code, "image-digest-mismatch", `${length} ${declared}: ${error.message}`);
      await absent();
    }
  }
});

test("a layer whose bytes are right but unpack to another diff_id", async () => {
  const other = randomLayer("c", 1000);
  const forged = image([{ ...first(), diffId: other.diffId }]);
  reference = registry.add("forged", forged);
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-digest-mismatch");
  assert.equal(await there(store.layerPath(other.diffId)), false);
  assert.deepEqual(await store.leftovers(), []);
});

test("a cut in the middle of a blob is mended by a range, and nothing comes twice", async () => {
  let cuts = 0;
  registry.answer = (request, response) => {
    if (!isFirst(request.url) || cuts++ > 0) return false;
    cutAfter(response, first().blob, 100_000);
    return true;
  };
  await store.pull(reference);
  const ranges = registry.blobRequests(first().digest).map((s) => s.range);
  assert.equal(ranges.length, 2);
  assert.match(ranges[1] ?? "", /^bytes=\d+-$/);
  assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true);
});

test("a registry that cuts off for good: the next ensure, in another process's shoes, goes on from there", async () => {
  registry.answer = (request, response) => {
    if (!isFirst(request.url)) return false;
    if (request.headers.range === undefined) cutAfter(response, first().blob, 200_000);
    else response.destroy();
    return true;
  };
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-unreachable");
  await absent(1);
  registry.answer = () => false;
  registry.seen.length = 0;
  const images = store.again();
  await images.ensure(await images.inspect(reference, "IfNotPresent"), () => undefined);
  const ranges = registry.blobRequests(first().digest).map((s) => s.range);
  assert.equal(ranges.length, 1);
  assert.ok(Number(/^bytes=(\d+)-$/.exec(ranges[0] ?? "")?.[1]) >= 100_000, ranges[0]);
  assert.deepEqual(await store.leftovers(), []);
});

test("a registry without ranges sends all again, and the part that was there is skipped", async () => {
  let cuts = 0;
  registry.answer = (request, response) => {
    if (!isFirst(request.url)) return false;
    if (cuts++ === 0) cutAfter(response, first().blob, 100_000);
    else sendBlob(response, first().blob, undefined);
    return true;
  };
  await store.pull(reference);
  assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true);
});

test("a kept part that a crash has torn is thrown away and the layer fetched anew", async () => {
  registry.answer = (request, response) => {
    if (!isFirst(request.url)) return false;
    cutAfter(response, Buffer.alloc(first().blob.length, 1), 200_000);
    return request.headers.range === undefined || done(response.destroy());
  };
  await imageError(store.pull(reference));
  registry.answer = () => false;
  await store.pull(reference);
  assert.equal(await there(`${store.layerPath(first().diffId)}/a`), true);
});

test("another range than asked for is refused", async () => {
  let cuts = 0;
  registry.answer = (request, response) => {
    if (!isFirst(request.url)) return false;
    if (cuts++ === 0) cutAfter(response, first().blob, 100_000);
    else {
      response.writeHead(206, { "content-range": `bytes 0-${first().blob.length - 1}/${first().blob.length}` });
      response.end(first().blob);
    }
    return true;
  };
  assert.equal((await imageError(store.pull(reference))).code, "image-bad");
});

test("500 twice, then well", async () => {
  let failures = 0;
  registry.answer = (request, response) => {
    if (!isFirst(request.url) || failures++ >= 2) return false;
    refuse(response, 500, "UNKNOWN");
    return true;
  };
  await store.pull(reference);
  assert.equal(registry.blobRequests(first().digest).length, 3);
});

test("500 for ever ends after the tries it has", async () => {
  registry.answer = (_request, response) => done(refuse(response, 503, "UNAVAILABLE"));
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /answered 503/);
  assert.equal(registry.seen.length, QUICK.attempts);
});

test("429: the pause the registry asks for is kept; one that is too long is told", async () => {
  let at = 0;
  registry.answer = (request, response) => {
    if (!isFirst(request.url) || at > 0) return false;
    at = performance.now();
    refuse(response, 429, "TOOMANYREQUESTS", { "retry-after": "1" });
    return true;
  };
  await store.pull(reference);
  assert.ok(performance.now() - at >= 1000);
  registry.answer = (_request, response) => done(refuse(response, 429, "TOOMANYREQUESTS", { "retry-after": "7200" }));
  registry.seen.length = 0;
  const error = await imageError(store.again().inspect(`${registry.host}/tiny:other`, "Always"));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.hint ?? "", /7200 s/);
  assert.equal(registry.seen.length, 1);
});

test("401 for ever: one login, one more try, then the end", async () => {
  const realm = `http://${registry.host}/token`;
  registry.answer = (request, response) => {
    if (request.url?.startsWith("/token")) response.end('{"token":"worthless"}');
    else refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="${realm}",service="odd"` });
    return true;
  };
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-unauthorized");
  assert.match(error.hint ?? "", /login/);
  assert.doesNotMatch(`${error.message} ${error.stack}`, /worthless/);
  assert.equal(registry.seen.filter((s) => s.path.startsWith("/token")).length, 1);
  assert.equal(registry.seen.filter((s) => s.path.startsWith("/v2")).length, 2);
});

test("a drip and a silence end by their deadlines", async () => {
  let timer: NodeJS.Timeout | undefined;
  for (const drip of [true, false]) {
    registry.answer = (request, response) => {
      if (!isFirst(request.url)) return false;
      response.writeHead(200, { "content-length": first().blob.length });
      response.write("x");
      if (drip) {
        timer = setInterval(() => response.write("x"), 100);
        response.on("close", () => clearInterval(timer));
      }
      return true;
    };
    const began = performance.now();
    const error = await imageError(store.pull(reference));
    assert.equal(error.code, "image-unreachable");
    assert.match(error.message, drip ? /too slowly/ : /sent nothing/);
    assert.ok(performance.now() - began < 10_000);
  }
  clearInterval(timer);
});

test("no answer at all ends by its deadline", async () => {
  registry.answer = () => true;
  const error = await imageError(store.pull(reference));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /no answer in 1 s/);
});

test("nobody listens: told at once, without tries", async () => {
  const { host } = registry;
  await registry.stop();
  const began = performance.now();
  const error = await imageError(store.pull(`${host}/tiny:latest`));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /ECONNREFUSED/);
  assert.ok(performance.now() - began < 900);
  registry = await new OddRegistry().start();
});

test("a redirect to another host gets no Authorization; one to plain HTTP elsewhere is refused", async () => {
  const other = await new OddRegistry().start();
  try {
    other.answer = (_request, response) => done(sendBlob(response, first().blob, undefined));
    registry.answer = (request, response) => {
      if (request.url?.startsWith("/token")) {
        response.end('{"access_token":"t0ken"}');
      } else if (request.headers.authorization !== "Bearer t0ken") {
        refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
      } else if (isFirst(request.url)) {
        response.writeHead(307, { location: `http://${other.host}/elsewhere?signature=s3cret` }).end();
      } else return false;
      return true;
    };
    await store.pull(reference);
    assert.equal(other.seen.length, 1);
    assert.equal(other.seen[0]?.authorization, undefined);
    assert.ok(registry.blobRequests(first().digest).some((s) => s.authorization === "Bearer t0ken"));

    // Somewhere that answers 401 after a redirect is not logged in to either, and its address keeps its secret.
    other.answer = (_request, response) => done(refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="x"' }));
    const fresh = await makeStore();
    const refused = await imageError(fresh.pull(reference));
    assert.equal(refused.code, "image-unauthorized");
    assert.doesNotMatch(`${refused.message} ${refused.hint} ${refused.stack}`, /s3cret|t0ken/);
    registry.answer = (request, response) =>
      isFirst(request.url) && done(response.writeHead(302, { location: "http://192.0.2.1/x?signature=s3cret" }).end());
    const plain = await imageError(fresh.pull(reference));
    assert.equal(plain.code, "image-unreachable");
    assert.match(plain.message, /plain HTTP/);
    assert.doesNotMatch(`${plain.message} ${plain.hint} ${plain.stack}`, /s3cret/);
    await fresh.remove();
  } finally {
    await other.stop();
  }
});

test("redirects in a circle end", async () => {
  registry.answer = (request, response) => isFirst(request.url) && done(response.writeHead(302, { location: request.url }).end());
  assert.match((await imageError(store.pull(reference))).message, /redirects more than/);
});

test("HTML, other JSON, a manifest over 4 MiB, one with another digest, no image for this platform", async () => {
  const cases: [Buffer, string, string, RegExp][] = [
    [Buffer.from("<html><body>Please log in</body></html>"), "text/html; charset=utf-8", "image-bad", /not JSON but text\/html/],
    [Buffer.from('{"hello":"world"}'), "application/json", "image-bad", /schemaVersion 2/],
    [Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), MANIFEST, "image-bad", /over 4 MiB/],
    [
      Buffer.from(JSON.stringify({ schemaVersion: 1, name: "x", fsLayers: [] })),
      "application/vnd.docker.distribution.manifest.v1+prettyjws",
      "image-bad",
      /schema 1/,
    ],
    [
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: "application/vnd.oci.image.index.v1+json",
          manifests: [{ mediaType: MANIFEST, digest: tiny.digest, size: 1, platform: { os: "linux", architecture: "pdp11" } }],
        }),
      ),
      "application/vnd.oci.image.index.v1+json",
      "image-no-platform",
      /linux\/pdp11/,
    ],
  ]; // prettier-ignore
  for (const [bytes, type, code, words] of cases) {
    registry.addManifest("odd", bytes, type);
    const error = await imageError(store.pull(`${registry.host}/odd:latest`));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message} ${error.hint ?? ""}`, words);
  }
  registry.manifests.set(`tiny@${tiny.digest}`, { bytes: Buffer.from(`${tiny.manifest} `), type: MANIFEST });
  const pinned = await imageError(store.pull(`${registry.host}/tiny@${tiny.digest}`));
  assert.equal(pinned.code, "image-digest-mismatch");
  registry.blobs.set(tiny.configDigest, Buffer.from(tiny.config.toString().replace("/hello", "/other")));
  assert.equal((await imageError(store.pull(reference))).code, "image-digest-mismatch");
});

test("an index leads to this machine's image, also a nested one; its record remembers what the tag named", async () => {
  const nest = (digest: string, type: string) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{ mediaType: type, digest, size: 1 }],
      }),
    );
  const inner = nest(tiny.digest, MANIFEST);
  registry.addManifest("tiny", inner, "application/vnd.oci.image.index.v1+json");
  reference = registry.addManifest(
    "tiny",
    nest(sha256(inner), "application/vnd.oci.image.index.v1+json"),
    "application/vnd.oci.image.index.v1+json",
  );
  await store.pull(reference);
  const facts = await store.images.inspect(reference, "IfNotPresent");
  assert.equal(facts.digest, tiny.digest);
  registry.seen.length = 0;
  assert.deepEqual(await store.again().inspect(reference, "Always"), facts);
  assert.deepEqual(
    registry.seen.map((s) => s.method),
    ["HEAD"],
    "one request when nothing has changed",
  ); // prettier-ignore
});

test("pull policies: Always follows the tag, IfNotPresent stays, Never asks nobody", async () => {
  await store.pull(reference);
  const old = await store.images.inspect(reference, "Never");
  const newer = image([randomLayer("n", 1000)]);
  registry.add("tiny", newer);
  assert.equal((await store.again().inspect(reference, "IfNotPresent")).digest, old.digest);
  registry.seen.length = 0;
  assert.equal((await store.again().inspect(reference, "Never")).digest, old.digest);
  assert.equal(registry.seen.length, 0);
  const facts = await store.images.inspect(reference, "Always");
  assert.equal(facts.digest, newer.digest);
  assert.equal(await store.images.has(facts), false);
  await store.images.ensure(facts, () => undefined);
  assert.equal(await store.images.has(facts), true);
  assert.equal(await store.images.has(old), false, "the reference names another image now");
  // Going back needs no registry: the old image's bytes are still here.
  registry.seen.length = 0;
  await store.again().ensure(old, () => undefined);
  assert.equal(await store.images.has(old), true);
  assert.equal(registry.seen.length, 0);
  const never = await imageError(store.images.inspect(`${registry.host}/tiny:absent`, "Never"));
  assert.equal(never.code, "image-not-found");
  assert.match(never.hint ?? "", /IfNotPresent/);
});

test("a podrt that fails, hangs or is not there: told apart from a bad image, the download is kept", async () => {
  const script = async (text: string) => {
    await writeFile(`${store.folder}/podrt`, `#!/bin/bash\n[ "$1" = rmtree ] && { shift; exec rm -rf -- "$@"; }\n${text}\n`);
    await chmod(`${store.folder}/podrt`, 0o755);
  };
  const cases: [string, string, RegExp][] = [
    ["echo 'podrt: layer: dest: x: No space left on device' >&2; exit 125", "image-store", /No space left/],
    ["cat >/dev/null; echo 'podrt: layer: archive: x: truncated' >&2; exit 125", "image-bad", /truncated/],
    ["exec sleep 60", "image-store", /SIGKILL/],
    ["cat >/dev/null; echo nonsense", "image-store", /diffId/],
  ];
  for (const [text, code, words] of cases) {
    await script(text);
    const images = store.again({ podrt: `${store.folder}/podrt`, deadlines: { ...QUICK, unpack: 500 } });
    const error = await imageError(images.ensure(await images.inspect(reference, "Always"), () => undefined));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    await absent((await store.leftovers()).length);
  }
  const absentOne = store.again({ podrt: "/nonexistent/podrt" });
  const error = await imageError(absentOne.ensure(await absentOne.inspect(reference, "Always"), () => undefined));
  assert.equal(error.code, "image-store");
  assert.match(error.message, /podrt cannot be run/);
  registry.seen.length = 0;
  await store.pull(reference);
  assert.equal(registry.blobRequests(first().digest).length, 0, "the whole download was kept");
});

test("a store that cannot be written", async () => {
  await writeFile(`${store.folder}/in-the-way`, "");
  const images = store.again({ data: `${store.folder}/in-the-way/podgen` });
  const facts = await store.images.inspect(reference, "Always");
  const error = await imageError(images.ensure(facts, () => undefined));
  assert.equal(error.code, "image-store");
  assert.match(error.message, /in-the-way/);
});
