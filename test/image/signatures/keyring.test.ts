// Key rings for gpgv: out of their ASCII armor, and nothing that is no public key.
import assert from "node:assert/strict";
import { test } from "node:test";
import { binaryKeyring } from "../../../src/host/image/signatures/keyring.js";

const key = Buffer.from([0x98, 0x33, 4, ...Array.from({ length: 60 }, (_, i) => i)]);
const armor = (headers: string, bytes: Buffer, kind = "PUBLIC KEY") =>
  `-----BEGIN PGP ${kind} BLOCK-----\n${headers}\n${bytes.toString("base64").replace(/.{64}/g, "$&\n")}\n=abcd\n-----END PGP ${kind} BLOCK-----\n`;

test("armor with and without headers, several blocks, text around them, other line ends", () => {
  assert.deepEqual(binaryKeyring(key), key);
  for (const text of [armor("", key), armor("Comment: a: b\nVersion: x\n", key), `words\n${armor("", key).replaceAll("\n", "\r\n")}more`])
    assert.deepEqual(binaryKeyring(Buffer.from(text)), key, text);
  assert.deepEqual(binaryKeyring(Buffer.from(armor("", key) + armor("", key))), Buffer.concat([key, key]));
});

test("no public key: none", () => {
  const secret = Buffer.from([0x94, 1, 2]);
  for (const bytes of ["", "hello", secret, Buffer.from([0x88, 1, 2]), armor("", key, "PRIVATE KEY"), armor("", secret)])
    assert.equal(binaryKeyring(Buffer.from(bytes)), undefined, String(bytes));
});
