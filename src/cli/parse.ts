// A well-formed command line to its command and values, without yargs: that is loaded only for help and for what is wrong.
// Every millisecond here is paid by each apply that has nothing to do (DESIGN.md, budgets).
import { Args } from "./args.js";
import { type CommandSpec, GROUPS, membersOf, type OptionSpec, wordsOf } from "./commands.js";
import { readValue } from "./values.js";

export interface Parsed {
  readonly spec: CommandSpec;
  readonly args: Args;
}

interface Positional {
  readonly name: string;
  readonly required: boolean;
  readonly variadic: boolean;
}

/** The positionals of `<pod> [command..]`. */
export function positionalsOf(spec: CommandSpec): Positional[] {
  return [...spec.positionals.matchAll(/([<[])([a-z]+)(\.\.)?[>\]]/g)].map(([, open, name = "", dots]) => ({
    name,
    required: open === "<",
    variadic: dots !== undefined,
  }));
}

/**
 * The command line, or undefined for everything that yargs is to explain: help, completion, unknown and missing words.
 * Throws UserError (64) for an option's value that is none.
 */
export function parseWords(words: readonly string[]): Parsed | undefined {
  // The longest group that the line begins with.
  const depth = [2, 1].find((n) => words.length >= n && Object.hasOwn(GROUPS, words.slice(0, n).join(" "))) ?? 0;
  const [name, ...others] = words.slice(depth);
  const spec = membersOf(words.slice(0, depth).join(" ")).find((c) => wordsOf(c).at(-1) === name || c.aliases?.includes(name ?? ""));
  if (spec === undefined) return undefined;
  const separator = others.indexOf("--");
  const given = separator < 0 ? others : others.slice(0, separator);
  const rest = separator < 0 ? [] : others.slice(separator + 1);
  const values: Record<string, unknown> = {};
  for (const option of spec.options) if (option.default !== undefined) values[option.name] = option.default;
  const plain: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const word = given[i] ?? "";
    if (word === "-" || !word.startsWith("-")) {
      plain.push(word);
      continue;
    }
    const used = takeOption(spec, word, given[i + 1], values);
    if (used === undefined) return undefined;
    i += used;
  }
  return placePositionals(spec, plain, values) ? { spec, args: new Args(values, rest) } : undefined;
}

/** Sets what an option word says; how many words after it were its value (0 or 1), or undefined when it is not plain. */
function takeOption(spec: CommandSpec, word: string, next: string | undefined, values: Record<string, unknown>): number | undefined {
  const long = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(word);
  if (long === null) return takeShort(spec, word, next, values);
  const [, name = "", inline] = long;
  const option = spec.options.find((o) => o.name === name);
  if (option === undefined) {
    const negated = spec.options.find((o) => `no-${o.name}` === name && o.type === "boolean");
    if (negated === undefined || inline !== undefined) return undefined;
    values[negated.name] = false;
    return 0;
  }
  if (option.type === "boolean") {
    if (inline !== undefined) return undefined;
    values[name] = true;
    return 0;
  }
  return setValue(option, inline ?? next, values) ? (inline === undefined ? 1 : 0) : undefined;
}

/** `-f FILE`, and clusters of flags such as `-it`. */
function takeShort(spec: CommandSpec, word: string, next: string | undefined, values: Record<string, unknown>): number | undefined {
  const options = [...word.slice(1)].map((letter) => spec.options.find((o) => o.alias === letter));
  const [only] = options;
  if (options.length === 1 && only !== undefined && only.type !== "boolean") return setValue(only, next, values) ? 1 : undefined;
  for (const option of options) {
    if (option?.type !== "boolean") return undefined;
    values[option.name] = true;
  }
  return options.length === 0 ? undefined : 0;
}

function setValue(option: OptionSpec, value: string | undefined, values: Record<string, unknown>): boolean {
  if (value === undefined || value === "" || (value.startsWith("-") && value !== "-")) return false;
  if (option.choices !== undefined && !option.choices.includes(value)) return false;
  if (option.type === "array") {
    const before = values[option.name];
    values[option.name] = [...(Array.isArray(before) ? before : []), value];
  } else values[option.name] = readValue(option, value);
  return true;
}

function placePositionals(spec: CommandSpec, plain: readonly string[], values: Record<string, unknown>): boolean {
  let left = [...plain];
  for (const { name, required, variadic } of positionalsOf(spec)) {
    if (required && left.length === 0) return false;
    if (variadic) {
      values[name] = left;
      left = [];
    } else if (left.length > 0) values[name] = left.shift();
  }
  return left.length === 0;
}
