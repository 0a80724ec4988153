// podgen explain: what a field means, what may be written there, and what becomes of it here.

import { KNOWN_KINDS } from "../../model/kube/known-kinds.js";
import { childrenOf, type Entry, findEntry, kindEntry, pathOf, rulesOf } from "../../model/kube/reference.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { json, table } from "../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const path = args.text("field");
  const asJson = args.text("output") === "json";
  const recursive = args.flag("recursive");
  if (path === undefined) {
    const kinds = KNOWN_KINDS.map(kindEntry);
    context.out.write(asJson ? json("Kinds", { items: kinds.map((k) => plain(k, 0)) }) : table(kinds.map(kindRow)));
    return EXIT.done;
  }
  const found = findEntry(path);
  if ("problem" in found) throw new UserError(found.problem, EXIT.failed, found.hint);
  context.out.write(asJson ? json("Field", plain(found, recursive ? DEEP : 1)) : text(found, recursive, context.out.columns));
  return EXIT.done;
}

/** Deeper than any field stands; types do not hold themselves. */
const DEEP = 100;

function kindRow({ kind, fate, hint }: Entry): string[] {
  return [kind.name.toLowerCase(), kind.short ?? "", kind.apiVersion, fate === "honoured" ? "taken" : `refused: ${hint ?? ""}`];
}

function text(entry: Entry, recursive: boolean, columns: number): string {
  const { field, about, fate, reason, hint } = entry;
  const required = field?.required ? ", required" : "";
  const out = [`${pathOf(entry)}  <${entry.type}${required}>  ${entry.kind.apiVersion}`, ""];
  if (about !== undefined) out.push(`  ${about}.`);
  const word =
    fate === "honoured" ? (entry.path === "" ? "Taken." : "Honoured.") : `${fate === "refused" ? "Refused" : "Without effect"}: ${reason}.`;
  out.push(...wrap(word, columns));
  if (fate === "refused" && hint !== undefined) out.push(...wrap(`Instead: ${hint}.`, columns));
  for (const rule of field === undefined ? [] : rulesOf(field)) out.push(...wrap(rule, columns));
  const children = rows(entry, recursive, 1);
  if (children.length > 0) out.push("", "Fields:", table(children).trimEnd());
  return `${out.join("\n")}\n`;
}

const MARKS = { honoured: "", refused: "refused", "no effect": "no effect" } as const;

function rows(entry: Entry, recursive: boolean, depth: number): string[][] {
  return childrenOf(entry).flatMap((c) => [
    [`${"  ".repeat(depth)}${c.name}${c.field?.required ? "*" : ""}`, c.type, MARKS[c.fate], c.about ?? ""],
    ...(recursive ? rows(c, true, depth + 1) : []),
  ]);
}

/** Sentences indented by two columns, broken at spaces. */
function wrap(sentence: string, columns: number): string[] {
  const width = Math.max(30, Math.min(100, columns) - 2);
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(`  ${line}`);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, `  ${line}`];
}

/** As data; `depth` levels of fields below. */
function plain(entry: Entry, depth: number): Record<string, unknown> {
  const { kind, field, type, fate, reason, hint, about } = entry;
  const { values, min, max, form, since, note, fine, required } = field ?? {};
  const of = { values, min, max, form, fine, note, since, required };
  return {
    path: pathOf(entry),
    ...(field === undefined ? { name: kind.name, apiVersion: kind.apiVersion, shortName: kind.short } : { type }),
    fate,
    reason,
    hint,
    about,
    ...of,
    ...(depth > 0 && entry.inner !== undefined ? { fields: childrenOf(entry).map((c) => plain(c, depth - 1)) } : {}),
  };
}
