// podgen diff: what apply would change. Given readers only.
import { compareSpecs, type SpecChanges } from "../../diff/specs.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { readSpecs, type SpecText } from "../input.js";
import { printDiagnostics } from "../print.js";
import { openReaders, type Proposal, propose, type Readers } from "../session.js";
import { changesJson, showChanges, showNotes } from "../show.js";
import { showSpecs, showUnknownSpecs, specsJson } from "../show-specs.js";
import { readSpecTexts } from "../specs.js";

export function run(args: Args, context: Context): Promise<number> {
  return showDiff(args, args.text("output") === "json" ? "json" : "text", context);
}

async function specChanges({ specs, manifest, changes }: Proposal, { facts, files }: Readers): Promise<SpecChanges> {
  return compareSpecs(await readSpecTexts(facts.paths, files), specs, manifest, changes);
}

/** Exit 0: no change; 1: a change; 2: an error, as diff(1) and kubectl diff. `keep` is given what was shown. */
export async function showDiff(
  args: Args,
  format: "text" | "json",
  context: Context,
  keep?: (texts: readonly SpecText[], proposal: Proposal, readers: Readers) => Promise<void>,
): Promise<number> {
  try {
    const texts = await readSpecs(args, context);
    const readers = await openReaders(context);
    const proposal = await propose(texts, readers, { prune: args.flag("prune"), adopt: false });
    printDiagnostics(context, proposal.diagnostics, texts);
    if (proposal.value === undefined) return EXIT.diffError;
    const { changes } = proposal.value;
    context.err.write(showNotes(changes));
    const specs = args.flag("specs") ? await specChanges(proposal.value, readers) : undefined;
    // Units alone, as ever, where nothing is chosen.
    const units = specs === undefined || args.flag("units");
    if (specs !== undefined) context.err.write(showUnknownSpecs(specs));
    if (format === "json") context.out.write(changesJson(changes, specs === undefined ? {} : await specsJson(specs)));
    else context.out.write((specs === undefined ? "" : await showSpecs(specs)) + (units ? showChanges(changes) : ""));
    await keep?.(texts, proposal.value, readers);
    return changes.empty && (specs?.changes ?? []).length === 0 ? EXIT.done : EXIT.change;
  } catch (error) {
    // A thrown error must not look like "there is a change".
    if (error instanceof Error)
      Object.assign(error, { exitCode: Math.max(EXIT.diffError, Number("exitCode" in error ? error.exitCode : 0)) });
    throw error;
  }
}
