// What was signed: nothing but the documented members, each once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { repeatedKey } from "../../../src/host/image/json-keys.js";
import { type PayloadType, parsePayload } from "../../../src/host/image/signatures/payload.js";
import { Rejection } from "../../../src/host/image/signatures/rejection.js";
import { fromFile, toFile } from "../../../src/host/image/signatures/signature.js";

const ATOMIC = "atomic container signature";
const good = (type: string) => ({
  critical: { type, image: { "docker-manifest-digest": "sha256:1" }, identity: { "docker-reference": "a/b:1" } },
  optional: { creator: "x", timestamp: 1458239713, more: { of: "this" } } as unknown,
});

test("the members are exactly these", () => {
  const parse = (value: unknown, type: PayloadType = ATOMIC) => parsePayload(Buffer.from(JSON.stringify(value)), type);
  assert.deepEqual(parse(good(ATOMIC)), { digest: "sha256:1", reference: "a/b:1" });
  const { critical } = good(ATOMIC);
  const bad: [unknown, RegExp][] = [
    [{ critical }, /exactly the members critical, optional/],
    [{ ...good(ATOMIC), more: 1 }, /exactly the members critical, optional/],
    [{ ...good(ATOMIC), optional: null }, /optional is not an object/],
    [{ ...good(ATOMIC), optional: { creator: 1 } }, /creator is not text/],
    [{ ...good(ATOMIC), optional: { timestamp: 1.5 } }, /timestamp is not an integer/],
    [good("another type"), /of the type "another type"/],
    [{ critical: { ...critical, image: { ...critical.image, x: 1 } }, optional: {} }, /critical\.image/],
    [{ critical: { ...critical, identity: { "docker-reference": 1 } }, optional: {} }, /no digest or no name/],
    [[], /exactly the members/],
  ];
  for (const [value, why] of bad)
    assert.throws(
      () => parse(value),
      (e: unknown) => e instanceof Rejection && why.test(e.message),
    ); // prettier-ignore
  const cosign = "cosign container image signature";
  assert.equal(parse({ ...good(cosign), optional: null }, cosign).reference, "a/b:1");
  const twice = JSON.stringify(good(ATOMIC)).replace('"docker-reference"', '"docker-reference":"x/y:1","docker\\u002dreference"');
  assert.throws(() => parsePayload(Buffer.from(twice), ATOMIC), /"docker-reference" twice/);
});

test("a member that is there twice is found at any depth, whatever its escapes", () => {
  const cases: [string, string | undefined][] = [
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', undefined],
    ['{"a":"b","b":"a","":"{\\"a\\":1"}', undefined],
    ['{"a":1,"\\u0061":2}', "a"],
    ['[{"x":{"y":1,"y":1}}]', "y"],
    ['{"a":{},"b":[1,"a"],"a":null}', "a"],
  ];
  for (const [text, key] of cases) assert.equal(repeatedKey(text), key, text);
});

test("signature files: OpenPGP by its first byte, sigstore behind a name; anything else is none", () => {
  const sigstore = { kind: "sigstore", mediaType: "m", payload: Buffer.from("p"), annotations: { a: "b" } } as const;
  assert.deepEqual(fromFile(toFile(sigstore)), sigstore);
  const message = Buffer.from([0xa3, 1, 2]);
  assert.deepEqual(fromFile(message), { kind: "simple", message });
  assert.deepEqual(fromFile(toFile({ kind: "simple", message })), { kind: "simple", message });
  assert.equal(fromFile(Buffer.from("\0simple-signing\nx"))?.kind, "simple");
  for (const bad of ["", "<html>", "\0other\nx", "\0sigstore-json", "\0sigstore-json\n[]", "-----BEGIN PGP MESSAGE-----\n"])
    assert.equal(fromFile(Buffer.from(bad)), undefined, bad);
});
