// Findings as text for people: place, message and code; the source line with a caret; what to do next.
import type { Diagnostic, Location } from "./diagnostic.js";
import { expandTabs, harmless, textWidth } from "./width.js";

/** Source lines are cut to a window of this many characters around the caret. */
const WINDOW = 120;

type Paint = (text: string) => string;
type Style = "bold" | "red" | "yellow" | "green" | "cyan" | "dim";
const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

function painter(color: boolean): (style: Style) => Paint {
  return (style) => (color ? (text) => `\u001b[${CODES[style]}m${text}\u001b[0m` : (text) => text);
}

/** By file, line and column; findings about the machine, which have no place, come last, in the order they were made. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) => {
    if (a.at === undefined || b.at === undefined) return Number(a.at === undefined) - Number(b.at === undefined);
    if (a.at.file !== b.at.file) return a.at.file < b.at.file ? -1 : 1;
    return a.at.line - b.at.line || a.at.column - b.at.column;
  });
}

/** A Secret on one line, as JSON has it, beside what the finding is about. */
const SECRET_LINE = /kind["']?\s*:[^,}]*secret.*[,{]/i;

/**
 * All findings, sorted, as the lines a person reads. `sources` gives the text of each file by the name its locations
 * have; where a file is not in it, the finding is marked `secret`, or a whole Secret stands in the line, none is shown.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: { readonly color: boolean },
): string {
  const paint = painter(options.color);
  const lines = new Map<string, readonly string[]>();
  const lineOf = (at: Location): string | undefined => {
    let split = lines.get(at.file);
    if (split === undefined) {
      split =
        sources
          .get(at.file)
          ?.replace(/^\ufeff/, "")
          .split(/\r\n|\r|\n/) ?? [];
      lines.set(at.file, split);
    }
    return split[at.line - 1];
  };
  return sortDiagnostics(diagnostics)
    .map((d) => {
      const line = d.at === undefined || d.secret ? undefined : lineOf(d.at);
      return formatOne(d, line !== undefined && SECRET_LINE.test(line) ? undefined : line, paint);
    })
    .join("");
}

function formatOne(d: Diagnostic, source: string | undefined, paint: (style: Style) => Paint): string {
  const place = d.at === undefined ? "" : `${paint("bold")(harmless(`${d.at.file}:${d.at.line}:${d.at.column}:`))} `;
  const severity = paint(d.severity === "error" ? "red" : "yellow")(`${d.severity}:`);
  let text = `${place}${severity} ${harmless(d.message)} ${paint("dim")(`[${d.code}]`)}\n`;
  if (d.at !== undefined && source !== undefined) text += excerpt(source, d.at, d.length ?? 1, paint);
  if (d.hint !== undefined) text += `  ${paint("cyan")("hint:")} ${harmless(d.hint)}\n`;
  return text;
}

/** The source line and, below it, a caret under the first character and tildes under the rest. */
function excerpt(source: string, at: Location, length: number, paint: (style: Style) => Paint): string {
  const chars = [...harmless(source)];
  const start = Math.min(at.column - 1, chars.length);
  const end = Math.min(chars.length, start + Math.max(1, length));
  const from = chars.length <= WINDOW ? 0 : Math.max(0, Math.min(start - 40, chars.length - WINDOW));
  const to = Math.min(chars.length, from + WINDOW);
  const before = (from > 0 ? "…" : "") + chars.slice(from, start).join("");
  const marked = chars.slice(start, Math.min(end, to)).join("");
  const after = chars.slice(Math.min(end, to), to).join("") + (to < chars.length ? "…" : "");
  // Tab stops depend on what is before them, so each width is measured from the start of the line.
  const indent = textWidth(expandTabs(before));
  const width = Math.max(1, textWidth(expandTabs(before + marked)) - indent);
  const number = String(at.line).padStart(5);
  const caret = paint("green")(`^${"~".repeat(width - 1)}`);
  const shown = expandTabs(before + marked + after).trimEnd();
  return `${paint("dim")(`${number} |`)} ${shown}\n${paint("dim")(`${" ".repeat(number.length)} |`)} ${" ".repeat(indent)}${caret}\n`;
}
