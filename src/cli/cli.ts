// The thin skin: yargs over the command table, one place for errors and exit codes.
import yargs from "yargs";
import { Args } from "./args.js";
import { COMMANDS, type CommandSpec } from "./commands.js";
import { type Context, useColor } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/**
 * Runs one command line (without node and the script's name) and returns its exit code. Usage errors are 64; errors a
 * user can act on are printed without a stack.
 */
export async function runCli(words: readonly string[], version: string, context: Context): Promise<number> {
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
  for (const spec of COMMANDS) {
    parser.command(
      [[spec.name, spec.positionals].filter(Boolean).join(" "), ...(spec.aliases ?? [])],
      spec.describe,
      (y) => declare(y, spec),
      async (values) => {
        code = await (await spec.load()).run(new Args(values, rest), context);
      },
    );
  }
  try {
    // A parse callback keeps help and version on our stdout whether or not it is a terminal.
    let text = "";
    await parser.parseAsync([...before], {}, (_error, _values, shown) => {
      text = shown;
    });
    if (text !== "") context.out.write(`${text}\n`);
    return code;
  } catch (error) {
    return report(error, context);
  }
}

type Builder = ReturnType<typeof yargs>;

function declare(y: Builder, spec: CommandSpec): Builder {
  for (const o of spec.options) {
    y.option(o.name, {
      describe: o.describe,
      type: o.type,
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

/** Prints an error once and says which exit code it means. */
function report(error: unknown, context: Context): number {
  const color = useColor(context.err, context.env);
  const label = color ? "\u001b[1;31merror:\u001b[0m" : "error:";
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? error.hint : undefined;
  context.err.write(`podgen: ${label} ${message}\n`);
  if (hint !== undefined) context.err.write(`  hint: ${hint}\n`);
  if (context.env["PODGEN_DEBUG"] && error instanceof Error) context.err.write(`${error.stack ?? ""}\n`);
  if (error instanceof UserError) return error.exitCode;
  // yargs' own complaint about words and options.
  if (error instanceof Error && error.name === "YError") return EXIT.usage;
  return EXIT.failed;
}
