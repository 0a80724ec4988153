// Printing: tables, JSON, YAML, diagnostics. Data goes to stdout, everything else to stderr.
import type { Diagnostic } from "../base/diagnostic.js";
import { formatDiagnostics } from "../base/format.js";
import { type Context, useColor } from "./context.js";
import type { SpecText } from "./input.js";

/** All findings of a run, once, sorted, with source lines; nothing when there are none. */
export function printDiagnostics(context: Context, diagnostics: readonly Diagnostic[], texts: readonly SpecText[]): void {
  if (diagnostics.length === 0) return;
  const sources = new Map(texts.map((t) => [t.file, t.text]));
  context.err.write(formatDiagnostics(diagnostics, sources, { color: useColor(context.err, context.env) }));
}

/** Columns padded to their widest cell, two spaces between; no trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    }); // prettier-ignore
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join(""); // prettier-ignore
}

/** A text that somebody else has written, a payload by sd_notify say, for a terminal: control characters as `\x1b`. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Versioned JSON: `kind` names the listing. bigint never reaches here (ports give numbers and strings). */
export function json(kind: string, value: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ apiVersion: "podgen.io/v1", kind, ...value }, null, 2)}\n`;
}

/** The same as YAML. js-yaml is loaded only when asked for. */
export async function yaml(kind: string, value: Readonly<Record<string, unknown>>): Promise<string> {
  const { dump } = await import("js-yaml");
  return dump(JSON.parse(json(kind, value)), { lineWidth: 120 });
}

/** `5s`, `3m`, `2h`, `4d`: the largest unit that fits, as kubectl shows ages. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
