// The thin skin: a command line to a command, one place for errors and exit codes.
import { type Context, useColor } from "./context.js";
import { EXIT } from "./exit.js";
import { overview } from "./help.js";
import { parseWords } from "./parse.js";

/**
 * Runs one command line (without node and the script's name) and returns its exit code. Usage errors are 64; errors a
 * user can act on are printed without a stack.
 */
export async function runCli(words: readonly string[], version: string, context: Context): Promise<number> {
  try {
    if (words[0] === "--version" && words.length === 1) {
      context.out.write(`${version}\n`);
      return EXIT.done;
    }
    if (words.length === 1 && (words[0] === "--help" || words[0] === "-h")) {
      context.out.write(overview());
      return EXIT.done;
    }
    const parsed = parseWords(words);
    if (parsed !== undefined) return await (await parsed.spec.load()).run(parsed.args, context);
    return await (await import("./usage.js")).runUsage(words, version, context);
  } catch (error) {
    return report(error, context);
  }
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
  // UserError has one; commands with exit codes of their own (diff) put it on what passes through them.
  if (error instanceof Error && "exitCode" in error && typeof error.exitCode === "number") return error.exitCode;
  // yargs' own complaint about words and options.
  if (error instanceof Error && error.name === "YError") return EXIT.usage;
  return EXIT.failed;
}
