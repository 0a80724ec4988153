// What --prune may delete unasked: a handful. A wrong branch, or half a repository, looks like a wish to delete all the rest.
import { shownKey } from "../base/service.js";
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/** So many pods, Services, Jobs and CronJobs go at a time without a question. */
export const HANDFUL = 5;

/** More are named in a message by their number alone. */
const NAMED = 20;

/** `pod "a", Service "b" and 3 more`. */
export function listOf(keys: readonly string[]): string {
  const named = keys.slice(0, NAMED).map(shownKey).join(", ");
  return keys.length > NAMED ? `${named} and ${keys.length - NAMED} more` : named;
}

/** Throws UserError where --yes is said without what it speaks of. */
export function checkYes(args: Args): void {
  if (args.flag("yes") && !args.flag("prune")) throw new UserError("--yes goes with --prune", EXIT.usage);
}

/** Asks a person at a terminal. Throws UserError where they do not want it, and where there is nobody to ask. `yes`: they have said so. */
export async function agreeToPrune(keys: readonly string[], yes: boolean, { ask, err }: Pick<Context, "ask" | "err">): Promise<void> {
  if (keys.length <= HANDFUL || yes) return;
  const what = `--prune would delete ${keys.length}: ${listOf(keys)}`;
  if (ask === undefined)
    throw new UserError(what, EXIT.failed, "--yes, where that is wanted; podgen diff --prune shows it; nothing was changed");
  err.write(`${what}\n`);
  const answer = await ask("Delete them (y/N)? ", false);
  if (!/^y(es)?$/i.test(answer?.trim() ?? "")) throw new UserError("not deleted, and nothing else was changed", EXIT.failed);
}
