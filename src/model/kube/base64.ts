// Strict base64 (RFC 4648, section 4) to bytes.

const VALUES: ReadonlyMap<number, number> = new Map(
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((char, i) => [char.charCodeAt(0), i]),
);

export type Decoded = { readonly bytes: Uint8Array } | { readonly problem: string };

/**
 * Line breaks are skipped, as the API server skips them (YAML blocks end with one); anything else outside the alphabet,
 * missing padding and left-over bits are problems. The problem never quotes the text: it may be a secret.
 */
export function decodeBase64(text: string): Decoded {
  const clean = text.replace(/[\r\n]/g, "");
  const data = clean.replace(/={0,2}$/, "");
  for (let i = 0; i < data.length; i++) {
    if (VALUES.has(data.charCodeAt(i))) continue;
    const what = /\s/.test(data.charAt(i)) ? "a space" : /[-_]/.test(data.charAt(i)) ? "a character of the URL alphabet" : "a character";
    return { problem: `is not base64: ${what} that does not belong there, at position ${i + 1}` };
  }
  if (clean.length % 4 !== 0) return { problem: "is not base64: the length is not a multiple of 4 (is the end cut off?)" };
  const bytes = new Uint8Array(Math.floor((data.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let out = 0;
  for (let i = 0; i < data.length; i++) {
    bits = ((bits << 6) | (VALUES.get(data.charCodeAt(i)) ?? 0)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[out++] = (bits >> held) & 0xff;
  }
  if (held > 0 && (bits & ((1 << held) - 1)) !== 0)
    return { problem: "is not base64: bits are left over at the end (is the end cut off?)" };
  return { bytes };
}
