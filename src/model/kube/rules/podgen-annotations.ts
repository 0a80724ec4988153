// Annotations under podgen.io/ are podgen's own: a misspelt one must not be ignored.
import { suggest } from "../../../base/suggest.js";
import { quote } from "../../../spec/quote.js";
import type { Found } from "../view.js";

const PREFIX = "podgen.io/";
/** Those with a meaning. There is none yet. */
const KNOWN: readonly string[] = [];

export function podgenAnnotations({ reader, report }: Found): void {
  const annotations = reader.object("metadata")?.object("annotations");
  if (annotations === undefined) return;
  for (const [key, entry] of annotations.node.entries) {
    if (!key.startsWith(PREFIX) || KNOWN.includes(key)) continue;
    const near = suggest(key, KNOWN);
    const meant = near === undefined ? "" : `, did you mean ${quote(near.word)}?`;
    report.error("unknown-annotation", entry.key, annotations.pathOf(key), `podgen knows no such annotation${meant}`, "remove it");
  }
}
