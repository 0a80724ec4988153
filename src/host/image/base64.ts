// Base64 as others write it, read strictly. Pure.

/** The bytes; undefined where the text is not exactly base64. */
export function base64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.toString("base64") === text ? bytes : undefined;
}
