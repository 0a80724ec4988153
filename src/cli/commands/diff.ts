// podgen diff, podgen plan: what apply would change. Given readers only.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { readSpecs } from "../input.js";
import { printDiagnostics } from "../print.js";
import { openReaders, propose } from "../session.js";
import { changesJson, showChanges, showNotes } from "../show.js";

/** Exit 0: no change; 1: a change; 2: an error, as diff(1) and kubectl diff. */
export async function run(args: Args, context: Context): Promise<number> {
  try {
    const texts = await readSpecs(args, context);
    const proposal = await propose(texts, await openReaders(context), { prune: args.flag("prune"), adopt: false });
    printDiagnostics(context, proposal.diagnostics, texts);
    if (proposal.value === undefined) return EXIT.diffError;
    const { changes } = proposal.value;
    context.err.write(showNotes(changes));
    context.out.write(args.text("output") === "json" ? changesJson(changes) : showChanges(changes));
    return changes.empty ? EXIT.done : EXIT.change;
  } catch (error) {
    // A thrown error must not look like "there is a change".
    if (error instanceof Error)
      Object.assign(error, { exitCode: Math.max(EXIT.diffError, Number("exitCode" in error ? error.exitCode : 0)) });
    throw error;
  }
}
