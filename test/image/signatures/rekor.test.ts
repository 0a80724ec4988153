// A signature that a transparency log has to know: the log's promise, and that its entry is for this key, signature and payload.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import type { Signature } from "../../../src/host/image/signatures/signature.js";
import { readPublicKey, verifySigstore } from "../../../src/host/image/signatures/sigstore.js";

const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
const payload = Buffer.from(
  JSON.stringify({
    critical: {
      type: "cosign container image signature",
      image: { "docker-manifest-digest": "sha256:1" },
      identity: { "docker-reference": "a/b:1" },
    },
    optional: null,
  }),
);
const [mine, stranger, log] = [pair(), pair(), pair()];

/** A signature with the log's bundle; `change` may break either before it is signed. */
function logged(change: { entry?: (entry: Entry) => unknown; outer?: (outer: object) => object; by?: KeyObject } = {}): Sigstore {
  const value = sign("sha256", payload, mine.privateKey).toString("base64");
  const entry = {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value: createHash("sha256").update(payload).digest("hex") } },
      signature: { content: value, publicKey: { content: Buffer.from(pem(mine.publicKey)).toString("base64") } },
    },
  };
  const body = base64(change.entry?.(entry) ?? entry);
  // In another order than is signed: the canonical one.
  const Payload = { logIndex: 5, logID: "c0d2", integratedTime: 1700000000, body };
  const signed = Buffer.from(JSON.stringify({ body, integratedTime: 1700000000, logID: "c0d2", logIndex: 5 }));
  const outer = { SignedEntryTimestamp: sign("sha256", signed, change.by ?? log.privateKey).toString("base64"), Payload };
  const annotations = {
    "dev.cosignproject.cosign/signature": value,
    "dev.sigstore.cosign/bundle": JSON.stringify(change.outer?.(outer) ?? outer),
  };
  return { kind: "sigstore", mediaType: "", payload, annotations };
}
type Sigstore = Extract<Signature, { kind: "sigstore" }>;
type Entry = Record<string, unknown> & { spec: { data: object; signature: { content: string; publicKey: object } } };

test("known to the log: let in", () => {
  assert.equal(verifySigstore(logged(), [mine.publicKey], [log.publicKey]).reference, "a/b:1");
  assert.equal(verifySigstore(logged(), [stranger.publicKey, mine.publicKey], [stranger.publicKey, log.publicKey]).digest, "sha256:1");
});

test("everything that does not fit is refused", () => {
  const other = Buffer.from(pem(stranger.publicKey)).toString("base64");
  const cases: [Sigstore, RegExp][] = [
    [logged({ by: stranger.privateKey }), /another log/],
    [logged({ outer: (outer) => ({ ...outer, Payload: { ...(outer as { Payload: object }).Payload, logIndex: 6 } }) }), /another log/],
    [logged({ outer: (outer) => ({ ...outer, more: 1 }) }), /exactly the members SignedEntryTimestamp, Payload/],
    [logged({ entry: (e) => ({ ...e, kind: "rekord" }) }), /no hashedrekord/],
    [
      logged({ entry: (e) => ({ ...e, spec: { ...e.spec, signature: { ...e.spec.signature, publicKey: { content: other } } } }) }),
      /another key/,
    ],
    [logged({ entry: (e) => ({ ...e, spec: { ...e.spec, signature: { ...e.spec.signature, content: "AAAA" } } }) }), /another signature/],
    [logged({ entry: (e) => ({ ...e, spec: { ...e.spec, data: { hash: { algorithm: "sha256", value: "00" } } } }) }), /something else/],
    [{ ...logged(), annotations: { "dev.cosignproject.cosign/signature": "AAAA" } }, /another key than the policy's/],
    [{ ...logged(), annotations: { "dev.cosignproject.cosign/signature": "?" } }, /is not base64/],
  ];
  for (const [signature, why] of cases) assert.throws(() => verifySigstore(signature, [mine.publicKey], [log.publicKey]), why);
});

test("keys: public ones in PEM, of kinds that images are signed with", () => {
  const read = (key: KeyObject) => readPublicKey(Buffer.from(pem(key))) !== undefined;
  assert.ok(read(mine.publicKey));
  assert.ok(read(generateKeyPairSync("ed25519").publicKey));
  assert.ok(!read(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey));
  assert.ok(!read(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey));
  assert.ok(!read(generateKeyPairSync("x25519").publicKey));
  // What can sign has no place in a policy.
  assert.equal(readPublicKey(Buffer.from(mine.privateKey.export({ type: "pkcs8", format: "pem" }))), undefined);
  assert.equal(readPublicKey(Buffer.from("nonsense")), undefined);
});
