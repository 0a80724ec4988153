// Help, completion and what is wrong with a command line: yargs over the command table. Loaded only for those.
import yargs from "yargs";
import { Args } from "./args.js";
import { type CommandSpec, GROUPS, groupOf, membersOf, type OptionSpec, wordsOf } from "./commands.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { readValue } from "./values.js";

/**
 * Prints help, the version or a completion script, or throws a UserError that says what is wrong. A line that parse.ts
 * was too careful for is run all the same. Returns the exit code.
 */
export async function runUsage(words: readonly string[], version: string, context: Context): Promise<number> {
  let code: number = EXIT.done;
  const separator = words.indexOf("--");
  const before = separator < 0 ? words : words.slice(0, separator);
  const rest = separator < 0 ? [] : words.slice(separator + 1);
  const parser = yargs([...before])
    .scriptName("podgen")
    .usage("podgen COMMAND\n\nKubernetes pod YAML, run by systemd. No daemon, no engine.")
    .version(version)
    .help()
    .alias("help", "h")
    .strict()
    .recommendCommands()
    .demandCommand(1, "Say what to do.")
    .completion("completion", "print a completion script for bash or zsh")
    .epilogue("Every command has --help and a page: man podgen-COMMAND")
    .wrap(Math.min(100, context.err.columns))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UserError(message, EXIT.usage, "podgen --help");
    });
  declareAll(parser, async (spec, values) => {
    code = await (await spec.load()).run(new Args(values, rest), context);
  });
  // A parse callback keeps help and version on our stdout whether or not it is a terminal.
  let text = "";
  await parser.parseAsync([...before], {}, (_error, _values, shown) => {
    text = shown;
  });
  if (text !== "") context.out.write(`${text}\n`);
  return code;
}

type Builder = ReturnType<typeof yargs>;

/** All commands of the table; `run` is called with the one that the line names. */
export function declareAll(parser: Builder, run: (spec: CommandSpec, values: Readonly<Record<string, unknown>>) => Promise<void>): void {
  const add = (to: Builder, specs: readonly CommandSpec[]) => {
    for (const spec of specs)
      to.command(
        [[wordsOf(spec).at(-1), spec.positionals].filter(Boolean).join(" "), ...(spec.aliases ?? [])],
        spec.describe,
        (y) => declare(y, spec),
        (values) => run(spec, values),
      );
    return to;
  };
  const addGroup = (to: Builder, group: string) => {
    add(to, membersOf(group));
    for (const [inner, what] of Object.entries(GROUPS))
      if (groupOf(inner) === group)
        to.command(inner.slice(inner.lastIndexOf(" ") + 1), what, (y) =>
          addGroup(y, inner).demandCommand(1, `Say what to do: podgen ${inner} --help lists it.`),
        );
    return to;
  };
  addGroup(parser, "");
}

/** Of an option that is given twice the last one counts, as in parse.ts. */
function lastValue(option: OptionSpec): (given: unknown) => string | number {
  return (given) => readValue(option, String(Array.isArray(given) ? given.at(-1) : given));
}

export function declare(y: Builder, spec: CommandSpec): Builder {
  for (const o of spec.options) {
    y.option(o.name, {
      describe: o.describe,
      ...(o.type === "duration" || o.type === "count" ? { type: "string", coerce: lastValue(o) } : { type: o.type }),
      ...(o.alias === undefined ? {} : { alias: o.alias }),
      ...(o.choices === undefined ? {} : { choices: o.choices }),
      ...(o.default === undefined ? {} : { default: o.default }),
      // One value per option: without this an array option would take every word that follows.
      ...(o.type === "array" ? { nargs: 1, string: true } : o.type === "boolean" ? {} : { requiresArg: true }),
    });
  }
  for (const [line, what] of spec.examples) y.example(line, what);
  return y;
}
