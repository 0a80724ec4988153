// YAML text to documents whose every node knows its place. Pure; js-yaml is the tokenizer, the meaning is ours.
import { parseEvents, YAMLException } from "js-yaml";
import type { Checked, Diagnostic } from "../base/diagnostic.js";
import { compose, UNKNOWN_TAG } from "./compose.js";
import { Lines } from "./lines.js";
import type { SpecDocument } from "./node.js";
import { mayHoldSecret } from "./secrecy.js";
import type { Variables } from "./variables.js";

/** Deeper than any spec; keeps recursion over nodes bounded. */
const MAX_DEPTH = 64;
/** A document marker: always one, also inside block scalars and quotes, when it starts a line (YAML 1.2, 9.1.2). */
const MARKER = /(?<![^\r\n])(?:---|\.\.\.)(?=[ \t\r\n]|$)/g;
const DIRECTIVE = /^%/;
const DIRECTIVE_OR_BLANK = /^(?:%|[ \t]*(?:#|$))/;
/** Reasons of js-yaml that quote the text. */
const QUOTING = /^(tag name cannot|undeclared tag handle|there is a previously declared)/;

/** What to do about the syntax errors people make most. Matched against js-yaml's reasons. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/tab characters/, "indent with spaces"],
  [/bad indentation of a mapping entry/, 'check the indentation; a text with ": " in it, or one that starts with @ ` % , needs quotes'],
  [/end of the stream or a document separator is expected/, "this line is indented less than the first one"],
  [/bad indentation of a sequence entry/, 'the "-" of all items of a list must stand in one column'],
  [/single quoted scalar|double quoted scalar/, "a quote opened before this place is never closed"],
  [/deficient indentation/, "a [, a { or a quote opened before this place is not closed, or this line needs more indentation, in spaces"],
  [/missed comma/, 'put a "," between the entries, or quotes around a text that holds ": "'],
  [/flow collection/, "a [ or { opened before this place is never closed"],
  [/nesting exceeded/, "no spec is nested that deeply"],
];

export interface Parsed extends Checked<SpecDocument[]> {
  /** Names of variables that stand in the file. */
  readonly used: ReadonlySet<string>;
}

/**
 * The documents of one file. Unlike other stages `value` is there also next to errors: the documents that could be
 * read, so that a broken one does not hide the findings in the others. Empty documents are left out.
 * Codes: yaml-syntax, yaml-alias, duplicate-key; with `variables`, which are replaced then, variable-undefined and variable-syntax.
 */
export function parseYaml(file: string, text: string, variables?: Variables): Parsed {
  const lines = new Lines(file, text.startsWith("\ufeff") ? text.slice(1) : text);
  const diagnostics: Diagnostic[] = [];
  const documents: SpecDocument[] = [];
  const used = new Set<string>();
  for (const { start, chunk } of split(lines.text)) {
    const isSecret = mayHoldSecret(chunk);
    const secret = isSecret ? { secret: true } : {};
    try {
      const composed = compose(parseEvents(chunk, { maxDepth: MAX_DEPTH }), chunk, start, lines, { secret: isSecret, variables });
      for (const name of composed.used) used.add(name);
      documents.push(...composed.roots.map((root) => ({ file, root })));
      diagnostics.push(...composed.diagnostics.map((d) => ({ ...d, ...secret })));
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      diagnostics.push({ ...syntaxError(error, chunk, start, lines, isSecret), ...secret });
    }
  }
  return { value: documents, diagnostics, used };
}

/** Pieces that can be parsed alone: cut before each `---` and after each `...`. Directives stay with their document. */
function split(text: string): { start: number; chunk: string }[] {
  const cuts = [0];
  for (const marker of text.matchAll(MARKER)) {
    const cut = marker[0] === "---" ? marker.index : marker.index + 3;
    const head = text.slice(cuts.at(-1), cut);
    if (marker[0] === "---" && directivesOnly(head)) continue;
    if (cut > 0) cuts.push(cut);
  }
  return cuts.map((start, i) => ({ start, chunk: text.slice(start, cuts[i + 1]) }));
}

/** True for the `%YAML 1.2` lines before a `---`: they belong to the document after it. */
function directivesOnly(head: string): boolean {
  if (!head.includes("%")) return false;
  const lines = head.split(/\r\n|\r|\n/);
  return lines.some((line) => DIRECTIVE.test(line)) && lines.every((line) => DIRECTIVE_OR_BLANK.test(line));
}

function syntaxError(error: YAMLException, chunk: string, start: number, lines: Lines, secret: boolean): Diagnostic {
  // An error at the end is shown at the last character there is, not on an empty line after it.
  const end = Math.max(0, chunk.trimEnd().length - 1);
  const hint = HINTS.find(([pattern]) => pattern.test(error.reason))?.[1];
  return {
    code: "yaml-syntax",
    severity: "error",
    message: secret && QUOTING.test(error.reason) ? UNKNOWN_TAG : error.reason,
    at: lines.at(start + Math.min(error.mark?.position ?? 0, end)),
    length: 1,
    ...(hint === undefined ? {} : { hint }),
  };
}
