// Digests of rendered text.
import { createHash } from "node:crypto";

/** Hex sha256 of a text's UTF-8. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
