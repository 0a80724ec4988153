// Whether a piece of YAML may hold a Secret: asked of text that could not be read, so when in doubt, it may.

/** The word itself, also in a name. Keys by which a pod refers to one (`secret:`, secretName, secretKeyRef) are none. */
const WORD = /\bsecret(?:list)?\b(?!["']?\s*:)/i;
/** A kind, and its value where that is one plain or quoted word: tags, anchors, aliases and escapes may hide any. */
const KIND = /\bkind["']?\s*:(?:\s*["']?([a-z]+)["']?[ \t]*(?=[,}\]#\r\n]|$))?/gi;
/** Kinds that have no secret data; of any other one, a misspelt Secret say, `data` is taken for secret. */
const OPEN_KIND = /^(?:pod|configmap|list)$/i;

/** True unless the text is surely of other kinds only. No line of it, and no text from it, is shown then. */
export function mayHoldSecret(text: string): boolean {
  if (WORD.test(text) || /\bstringData\b/i.test(text)) return true;
  const kinds = [...text.matchAll(KIND)].map((match) => match[1]);
  if (kinds.includes(undefined)) return true;
  return /\bdata\b/i.test(text) && (kinds.length === 0 || !kinds.every((kind) => OPEN_KIND.test(kind ?? "")));
}
