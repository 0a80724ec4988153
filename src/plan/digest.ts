// Content digests: names of files by what is in them.
import { createHash } from "node:crypto";

/** Hex sha256 of some parts, each with its length before it, so that no two lists of parts give the same digest. */
export function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    hash.update(`${bytes.length}:`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}
