// Where the values of ${NAME} in specs come from: --values, --env-file and --set, the later before the earlier. Without any, nothing is replaced.
import { isAbsolute, join } from "node:path/posix";
import type { Node } from "../spec/node.js";
import { VARIABLE_NAME, type Variables } from "../spec/variables.js";
import { parseYaml } from "../spec/yaml.js";
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/** Of `export NAME=VALUE`. */
const LINE = /^(?:export[ \t]+)?([^=\s]+)[ \t]*=[ \t]*(.*)$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/**
 * What is to be replaced in specs; undefined when nobody asked for it. Throws UserError: a file that is not there, a line that is none, a name
 * that no variable can have. Values are never in a message: they may be secret.
 */
export async function readVariables(args: Args, context: Context): Promise<Variables | undefined> {
  const [files, tables, words] = [args.list("env-file"), args.list("values"), args.list("set")];
  if (files.length + tables.length + words.length === 0) return undefined;
  const values = new Map<string, string>();
  const asked = new Set<string>();
  for (const name of tables) for (const [key, value] of parseValues(name, await read(name, context))) values.set(key, value);
  for (const name of files) for (const [key, value] of parseEnvFile(name, await read(name, context))) values.set(key, value);
  for (const word of words) {
    const [name, value] = parseWord(word, context.env);
    values.set(name, value);
    asked.add(name);
  }
  return { values, asked };
}

async function read(name: string, context: Context): Promise<string> {
  const bytes = await (await context.host.files()).read(isAbsolute(name) ? name : join(context.cwd, name));
  if (bytes === undefined) throw new UserError(`${name}: no such file`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${name}: is not UTF-8 text`);
  }
}

/** NAME=VALUE; or NAME alone, for the value it has in the environment. */
function parseWord(word: string, env: Context["env"]): [string, string] {
  const at = word.indexOf("=");
  const name = at < 0 ? word : word.slice(0, at);
  if (!VARIABLE_NAME.test(name)) throw new UserError("--set takes NAME=VALUE; the name has letters, digits, _ and dots", EXIT.usage);
  if (at >= 0) return [name, word.slice(at + 1)];
  const value = env[name];
  if (value === undefined) throw new UserError(`--set ${name}: it is not in the environment`, EXIT.usage, `write --set ${name}=VALUE`);
  return [name, value];
}

/**
 * NAME=VALUE lines as Compose's env files have them: `#` starts a comment at a line's start or after white space, 'text' stays as it is, in "text" \n \t
 * \r \" \\ and \$ are escapes. Nothing is replaced in values.
 */
export function parseEnvFile(file: string, text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [i, line] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)
    .entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, name = "", rest = ""] = LINE.exec(trimmed) ?? [];
    if (!VARIABLE_NAME.test(name)) throw new UserError(`${file}:${i + 1}: expected NAME=VALUE`);
    const value = unquoted(rest);
    if (value === undefined) throw new UserError(`${file}:${i + 1}: the quotes of ${name} do not match`);
    values.set(name, value);
  }
  return values;
}

function unquoted(rest: string): string | undefined {
  const single = /^'([^']*)'[ \t]*(?:#.*)?$/.exec(rest);
  if (single !== null) return single[1];
  const double = /^"((?:[^"\\]|\\.)*)"[ \t]*(?:#.*)?$/.exec(rest);
  if (double !== null) return (double[1] ?? "").replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c);
  if (/^['"]/.test(rest)) return undefined;
  return rest.replace(/(?:^|[ \t])#.*$/, "").trimEnd();
}

/** A YAML map of texts, numbers and booleans; maps in it give names with dots: `db: {port: 5432}` is `db.port`. */
function parseValues(file: string, text: string): Map<string, string> {
  const { value: documents = [], diagnostics } = parseYaml(file, text);
  const [problem] = diagnostics;
  if (problem !== undefined) throw new UserError(`${file}:${problem.at?.line ?? 1}: ${problem.code}: it is no YAML map of values`);
  if (documents.length > 1) throw new UserError(`${file}: more than one document`);
  const values = new Map<string, string>();
  const root = documents[0]?.root;
  if (root === undefined) return values;
  if (root.kind !== "map") throw new UserError(`${file}: expected a map of values`);
  collect(file, root, "", values);
  return values;
}

function collect(file: string, node: Node, name: string, values: Map<string, string>): void {
  if (node.kind === "scalar") values.set(name, node.value === null ? "" : node.text);
  else if (node.kind === "seq") throw new UserError(`${file}:${node.place.at.line}: ${name}: a list is no value`);
  else
    for (const [key, entry] of node.entries) {
      const whole = name === "" ? key : `${name}.${key}`;
      if (!VARIABLE_NAME.test(whole))
        throw new UserError(`${file}:${entry.key.at.line}: ${whole}: a variable's name has letters, digits and _`);
      collect(file, entry.value, whole, values);
    }
}
