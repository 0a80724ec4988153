// JSON for people and diffs: the outer levels one thing per line, what is deeper on one line.

/** A JSON value, keys in the order they were put in. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** Levels that are spread over lines: the document, its sections, and their lists (env, args, mounts). */
const SPREAD = 3;

/** The text of a value, ending in a newline. */
export function printJson(value: Json): string {
  return `${print(value, 0)}\n`;
}

function print(value: Json, depth: number): string {
  if (typeof value !== "object" || depth >= SPREAD) return JSON.stringify(value);
  const pad = "  ".repeat(depth + 1);
  const items = isList(value)
    ? value.map((item) => print(item, depth + 1))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${print(item, depth + 1)}`);
  const [open, close] = isList(value) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => pad + item).join(",\n")}\n${"  ".repeat(depth)}${close}`;
}

function isList(value: readonly Json[] | { readonly [key: string]: Json }): value is readonly Json[] {
  return Array.isArray(value);
}
