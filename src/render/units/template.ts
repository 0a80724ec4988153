// Fills a template of templates/: no logic there, all decisions here and in the callers.

/** Values by placeholder name; undefined takes the whole line out. */
export type Values = Readonly<Record<string, string | undefined>>;

/**
 * The template's text with every `@NAME@` replaced. Lines that start with `#-` are comments of the template itself and
 * go. Throws when template and values do not fit together, which is our bug.
 */
export function fill(template: string, values: Values): string {
  const used = new Set<string>();
  const lines: string[] = [];
  for (const line of template.split("\n")) {
    if (line.startsWith("#-")) continue;
    let dropped = false;
    const text = line.replace(/@([A-Z0-9_]+)@/g, (_, name: string) => {
      if (!(name in values)) throw new Error(`template placeholder @${name}@ has no value`);
      used.add(name);
      const value = values[name];
      if (value === undefined) dropped = true;
      return value ?? "";
    });
    if (!dropped) lines.push(text);
  }
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`values without a placeholder: ${unused.join(", ")}`);
  return lines.join("\n");
}
