// Fills a template of templates/: no logic there, all decisions here and in the callers.

/** Values by placeholder name; undefined takes the whole line out. */
export type Values = Readonly<Record<string, string | undefined>>;

/**
 * The template's text with every `@NAME@` replaced. Lines that start with `#-` are comments of the template itself and
 * go. Throws when template and values do not fit together, which is our bug.
 */
export function fill(template: string, values: Values): string {
  const { lines, names } = parsed(template);
  const unused = Object.keys(values).filter((name) => !names.has(name));
  if (unused.length > 0) throw new Error(`values without a placeholder: ${unused.join(", ")}`);
  const filled: string[] = [];
  for (const parts of lines) {
    let text: string | undefined = "";
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] ?? "";
      if (i % 2 === 1 && !(part in values)) throw new Error(`template placeholder @${part}@ has no value`);
      const piece: string | undefined = i % 2 === 1 ? values[part] : part;
      text = text === undefined || piece === undefined ? undefined : text + piece;
    }
    if (text !== undefined) filled.push(text);
  }
  return filled.join("\n");
}

/** Lines, each cut at its placeholders: text and names in turn. */
interface Parsed {
  readonly lines: readonly (readonly string[])[];
  readonly names: ReadonlySet<string>;
}

/** A template is filled once per pod or container, and read once. */
const known = new Map<string, Parsed>();

function parsed(template: string): Parsed {
  const found = known.get(template);
  if (found !== undefined) return found;
  const lines = template
    .split("\n")
    .filter((line) => !line.startsWith("#-"))
    .map((line) => line.split(/@([A-Z0-9_]+)@/));
  const result = { lines, names: new Set(lines.flatMap((parts) => parts.filter((_, i) => i % 2 === 1))) };
  known.set(template, result);
  return result;
}
