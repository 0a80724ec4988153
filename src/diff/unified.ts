// Text differences for people, as diff -u prints them.
import { type Edit, editScript } from "./myers.js";
import type { FileChange } from "./types.js";

const CONTEXT = 3;
const NO_NEWLINE = "\\ No newline at end of file";

/** What of a changed secret is shown: that it changes. A digest would let anybody who reads it try weak values. */
export function shownSecret(change: Pick<FileChange, "action">): string {
  return `secret ${{ create: "created", update: "changed", remove: "removed" }[change.action]}`;
}

/**
 * The unified difference of a file's two texts; undefined stands for no file. Empty when they are the same. Text that
 * holds a NUL is no text: one line says that it differs.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return "";
  const head = `--- ${before === undefined ? "/dev/null" : path}\n+++ ${after === undefined ? "/dev/null" : path}\n`;
  if (before?.includes("\0") === true || after?.includes("\0") === true) return `${head}binary content differs\n`;
  const edits = editScript(splitLines(before ?? ""), splitLines(after ?? ""));
  return head + hunks(edits).map(printHunk).join("");
}

/** Lines with their newline, so that a missing last one makes a difference. */
function splitLines(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== "");
}

interface Hunk {
  readonly oldStart: number;
  readonly newStart: number;
  readonly edits: readonly Edit[];
}

/** Groups of changes with up to CONTEXT lines around them; groups that would touch are one. */
function hunks(edits: readonly Edit[]): Hunk[] {
  const near = edits.map((_, i) => edits.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((e) => e.kind !== " "));
  const result: Hunk[] = [];
  let oldLine = 1;
  let newLine = 1;
  let current: { oldStart: number; newStart: number; edits: Edit[] } | undefined;
  edits.forEach((edit, i) => {
    if (near[i] !== true) current = undefined;
    else if (current === undefined) {
      current = { oldStart: oldLine, newStart: newLine, edits: [edit] };
      result.push(current);
    } else current.edits.push(edit);
    if (edit.kind !== "+") oldLine++;
    if (edit.kind !== "-") newLine++;
  });
  return result;
}

function printHunk(hunk: Hunk): string {
  const count = (other: Edit["kind"]): number => hunk.edits.filter((e) => e.kind !== other).length;
  const range = (start: number, lines: number): string => (lines === 1 ? `${start}` : `${lines === 0 ? start - 1 : start},${lines}`);
  const body = hunk.edits.map((e) => (e.line.endsWith("\n") ? `${e.kind}${e.line}` : `${e.kind}${e.line}\n${NO_NEWLINE}\n`)).join("");
  return `@@ -${range(hunk.oldStart, count("+"))} +${range(hunk.newStart, count("-"))} @@\n${body}`;
}
