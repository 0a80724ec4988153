// How many terminal columns text takes, and text made harmless for a terminal.

/** First and last code point of the blocks that Unicode's EastAsianWidth.txt calls Wide or Fullwidth, coarsely. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;

/** Columns of one character (a code point): 0 for combining marks, 2 for wide ones. */
export function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NO_WIDTH.test(char)) return 0;
  return EMOJI.test(char) || WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Columns of a text without tabs. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

const TAB_STOP = 8;

/** Tabs as the spaces a terminal would show for text that starts at its left edge. */
export function expandTabs(text: string): string {
  if (!text.includes("\t")) return text;
  let out = "";
  let width = 0;
  for (const char of text) {
    const add = char === "\t" ? TAB_STOP - (width % TAB_STOP) : charWidth(char);
    out += char === "\t" ? " ".repeat(add) : char;
    width += add;
  }
  return out;
}

/** Control characters and direction overrides could drive a terminal or lie about what is written: each becomes U+FFFD. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g, "\ufffd");
}
