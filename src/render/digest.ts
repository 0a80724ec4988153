// Digests of rendered text.
import { hash } from "node:crypto";

/** Hex sha256 of a text's UTF-8. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
