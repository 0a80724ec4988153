// A registry that answers wrong: status, login, redirects, manifests; each ends, with a reason and without a secret.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OddRegistry, refuse, sendBlob } from "../../lib/odd-registry.js";
import { done, MANIFEST, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, makeStore, QUICK } from "../../lib/store.js";

const odd = oddSetUp();

test("500 twice, then well", async () => {
  let failures = 0;
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url) || failures++ >= 2) return false;
    refuse(response, 500, "UNKNOWN");
    return true;
  };
  await odd.store.pull(odd.reference);
  assert.equal(odd.registry.blobRequests(odd.first().digest).length, 3);
});

test("500 for ever ends after the tries it has", async () => {
  odd.registry.answer = (_request, response) => done(refuse(response, 503, "UNAVAILABLE"));
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /answered 503/);
  assert.equal(odd.registry.seen.length, QUICK.attempts);
});

test("429: the pause the registry asks for is kept; one that is too long is told", async () => {
  let at = 0;
  odd.registry.answer = (request, response) => {
    if (!odd.isFirst(request.url) || at > 0) return false;
    at = performance.now();
    refuse(response, 429, "TOOMANYREQUESTS", { "retry-after": "1" });
    return true;
  };
  await odd.store.pull(odd.reference);
  assert.ok(performance.now() - at >= 1000);
  odd.registry.answer = (_request, response) => done(refuse(response, 429, "TOOMANYREQUESTS", { "retry-after": "7200" }));
  odd.registry.seen.length = 0;
  const error = await imageError(odd.store.again().inspect(`${odd.registry.host}/tiny:other`, "Always"));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.hint ?? "", /7200 s/);
  assert.equal(odd.registry.seen.length, 1);
});

test("401 for ever: one login, one more try, then the end", async () => {
  const realm = `http://${odd.registry.host}/token`;
  odd.registry.answer = (request, response) => {
    if (request.url?.startsWith("/token")) response.end('{"token":"worthless"}');
    else refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="${realm}",service="odd"` });
    return true;
  };
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-unauthorized");
  assert.match(error.hint ?? "", /login/);
  assert.doesNotMatch(`${error.message} ${error.stack}`, /worthless/);
  assert.equal(odd.registry.seen.filter((s) => s.path.startsWith("/token")).length, 1);
  assert.equal(odd.registry.seen.filter((s) => s.path.startsWith("/v2")).length, 2);
});

test("no answer at all ends by its deadline", async () => {
  odd.registry.answer = () => true;
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /no answer in 1 s/);
});

test("nobody listens: told at once, without tries", async () => {
  const { host } = odd.registry;
  await odd.registry.stop();
  const began = performance.now();
  const error = await imageError(odd.store.pull(`${host}/tiny:latest`));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.message, /ECONNREFUSED/);
  assert.ok(performance.now() - began < 900);
  odd.registry = await new OddRegistry().start();
});

test("a redirect to another host gets no Authorization; one to plain HTTP elsewhere is refused", async () => {
  const other = await new OddRegistry().start();
  try {
    other.answer = (_request, response) => done(sendBlob(response, odd.first().blob, undefined));
    odd.registry.answer = (request, response) => {
      if (request.url?.startsWith("/token")) {
        response.end('{"access_token":"t0ken"}');
      } else if (request.headers.authorization !== "Bearer t0ken") {
        refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="http://${odd.registry.host}/token"` });
      } else if (odd.isFirst(request.url)) {
        response.writeHead(307, { location: `http://${other.host}/elsewhere?signature=s3cret` }).end();
      } else return false;
      return true;
    };
    await odd.store.pull(odd.reference);
    assert.equal(other.seen.length, 1);
    assert.equal(other.seen[0]?.authorization, undefined);
    assert.ok(odd.registry.blobRequests(odd.first().digest).some((s) => s.authorization === "Bearer t0ken"));

    // Somewhere that answers 401 after a redirect is not logged in to either, and its address keeps its secret.
    other.answer = (_request, response) => done(refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="x"' }));
    const fresh = await makeStore();
    const refused = await imageError(fresh.pull(odd.reference));
    assert.equal(refused.code, "image-unauthorized");
    assert.doesNotMatch(`${refused.message} ${refused.hint} ${refused.stack}`, /s3cret|t0ken/);
    odd.registry.answer = (request, response) =>
      odd.isFirst(request.url) && done(response.writeHead(302, { location: "http://192.0.2.1/x?signature=s3cret" }).end());
    const plain = await imageError(fresh.pull(odd.reference));
    assert.equal(plain.code, "image-unreachable");
    assert.match(plain.message, /plain HTTP/);
    assert.doesNotMatch(`${plain.message} ${plain.hint} ${plain.stack}`, /s3cret/);
    await fresh.remove();
  } finally {
    await other.stop();
  }
});

test("redirects in a circle end", async () => {
  odd.registry.answer = (request, response) => odd.isFirst(request.url) && done(response.writeHead(302, { location: request.url }).end());
  assert.match((await imageError(odd.store.pull(odd.reference))).message, /redirects more than/);
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
          manifests: [{ mediaType: MANIFEST, digest: odd.tiny.digest, size: 1, platform: { os: "linux", architecture: "pdp11" } }],
        }),
      ),
      "application/vnd.oci.image.index.v1+json",
      "image-no-platform",
      /linux\/pdp11/,
    ],
  ]; // prettier-ignore
  for (const [bytes, type, code, words] of cases) {
    odd.registry.addManifest("odd", bytes, type);
    const error = await imageError(odd.store.pull(`${odd.registry.host}/odd:latest`));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message} ${error.hint ?? ""}`, words);
  }
  odd.registry.manifests.set(`tiny@${odd.tiny.digest}`, { bytes: Buffer.from(`${odd.tiny.manifest} `), type: MANIFEST });
  const pinned = await imageError(odd.store.pull(`${odd.registry.host}/tiny@${odd.tiny.digest}`));
  assert.equal(pinned.code, "image-digest-mismatch");
  odd.registry.blobs.set(odd.tiny.configDigest, Buffer.from(odd.tiny.config.toString().replace("/hello", "/other")));
  assert.equal((await imageError(odd.store.pull(odd.reference))).code, "image-digest-mismatch");
});
