// The head of every generated unit: where it comes from, what it is made of, how to change it.
import { sha256 } from "../digest.js";

/** Starts every generated unit. */
const MARK = "# podgen: generated";

/**
 * The unit's bytes: header, then body. The digest is of the body, which is all that this file derives from the model:
 * it stays when another part of the spec changes, and a reader can check it.
 */
export function withHeader(unit: string, origin: string, body: string): Uint8Array {
  const name = unit.includes("\\") ? `'${unit}'` : unit;
  const head = `${MARK} ${printable(origin)}\n# digest: ${sha256(body)}\n# do not edit; use a drop-in: systemctl --user edit ${name}\n\n`;
  return new TextEncoder().encode(head + body);
}

/** A file name may hold anything; a comment is one line. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
