// Content digests: names of files by what is in them.
import { createHmac, hash } from "node:crypto";

/** Hex sha256 of some parts, each with its length before it, so that no two lists of parts give the same digest. */
export function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  return hash("sha256", framed(parts), "hex");
}

/** The same with a key (HMAC): who does not have it cannot try values until one has this digest. */
export function keyedDigestOf(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): string {
  return createHmac("sha256", key).update(framed(parts)).digest("hex");
}

function framed(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap((part) => [Buffer.from(`${Buffer.byteLength(part)}:`), typeof part === "string" ? Buffer.from(part) : part]),
  );
}
