// Content digests: names of files by what is in them.
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

/** Hex sha256 of some parts, each with its length before it, so that no two lists of parts give the same digest. */
export function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  return digestParts(createHash("sha256"), parts);
}

/** The same with a key (HMAC): who does not have it cannot try values until one has this digest. */
export function keyedDigestOf(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): string {
  return digestParts(createHmac("sha256", key), parts);
}

function digestParts(hash: Hash | Hmac, parts: readonly (string | Uint8Array)[]): string {
  for (const part of parts) {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    hash.update(`${bytes.length}:`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}
