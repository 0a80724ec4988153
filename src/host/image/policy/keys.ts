// The keys that a requirement names, read and ready to verify with. Throws ImageError image-config: a key that cannot be used is no lesser key.
import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { binaryKeyring } from "../signatures/keyring.js";
import { readPublicKey } from "../signatures/sigstore.js";
import type { KeySource } from "./requirement.js";

/** Binary key rings for gpgv. `at`: the policy's file and scope, for messages. */
export function readKeyrings(source: KeySource, at: string): Promise<Uint8Array[]> {
  return read(source, at, "no OpenPGP public key", binaryKeyring);
}

export function readPublicKeys(source: KeySource, at: string): Promise<KeyObject[]> {
  return read(source, at, "no public key in PEM (ECDSA P-256, P-384, P-521, Ed25519, RSA from 2048 bits)", readPublicKey);
}

/** Of transparency logs: ECDSA only. */
export function readRekorKeys(source: KeySource, at: string): Promise<KeyObject[]> {
  return read(source, at, "no ECDSA public key in PEM", (bytes) => {
    const key = readPublicKey(bytes);
    return key?.asymmetricKeyType === "ec" ? key : undefined;
  });
}

async function read<T>({ paths, datas }: KeySource, at: string, what: string, parse: (bytes: Uint8Array) => T | undefined): Promise<T[]> {
  const sources = [
    ...paths.map((path) => ({ name: path, bytes: () => file(path, at) })),
    ...datas.map((data, i) => ({ name: `key ${i + 1}`, bytes: async () => data })),
  ];
  const keys: T[] = [];
  for (const { name, bytes } of sources) {
    const key = parse(await bytes());
    if (key === undefined) throw bad(name, `is ${what}`, at);
    keys.push(key);
  }
  return keys;
}

async function file(path: string, at: string): Promise<Uint8Array> {
  if (!isAbsolute(path)) throw bad(path, "is not an absolute path", at);
  try {
    return await readFile(path);
  } catch (error) {
    throw bad(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`, at, error);
  }
}

function bad(name: string, what: string, at: string, cause?: unknown): ImageError {
  return new ImageError("image-config", name, `${name}, a key of the policy (${at}), ${what}`, "See containers-policy.json(5).", cause);
}
