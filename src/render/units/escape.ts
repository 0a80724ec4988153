// Text as unit files need it: specifiers, quoting, and what cannot be said at all (systemd.syntax(7), systemd.service(5)).

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * A value outside command lines: `%` starts a specifier and is doubled. Throws on control characters and on a final
 * backslash, which would join the next line: the planner lets neither through.
 */
export function unitValue(text: string): string {
  if (CONTROL.test(text) || text.endsWith("\\")) throw new Error(`a unit file cannot hold the value ${JSON.stringify(text)}`);
  return text.replace(/%/g, "%%");
}

/** Unit names for a list of dependencies. Generated names hold nothing that would need quoting. */
export function unitList(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.map(unitValue).join(" ");
}

/**
 * A command line. In the words after the first `$` is doubled. In the path of the program no variable is looked for and
 * `$$` would stay two characters: a path with a `$` turns variables off for the whole line (the prefix `:`).
 * Throws as unitValue does, and on a program that is no absolute path.
 */
export function execLine(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  if (!program.startsWith("/")) throw new Error(`${JSON.stringify(program)} is no absolute path`);
  const literal = program.includes("$");
  const line = [quote(program), ...rest.map((word) => quote(literal ? word : word.replace(/\$/g, "$$$$")))].join(" ");
  return literal ? `:${line}` : line;
}

/** One word: in double quotes where whitespace, quotes, backslashes or a lone `;` would be read otherwise. */
function quote(word: string): string {
  if (CONTROL.test(word)) throw new Error(`a unit file cannot hold the word ${JSON.stringify(word)}`);
  const text = word.replace(/%/g, "%%");
  return /^[^\s"'\\;]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
