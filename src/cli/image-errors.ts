// What went wrong with an image, told as every command of the group tells it.
import { isImageError } from "../ports/images.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/** Runs `work`; an ImageError (exit 1) or UserError (its own) becomes a message with its hint. */
export async function explained(context: Pick<Context, "err">, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!isImageError(error) && !(error instanceof UserError)) throw error;
    context.err.write(`podgen: error: ${error.message}\n${error.hint === undefined ? "" : `  hint: ${error.hint}\n`}`);
    return error instanceof UserError ? error.exitCode : EXIT.failed;
  }
}

/** The same for each of several things: what fails is told, and the others are done all the same. The greatest exit code of them. */
export async function forEach<T>(items: Iterable<T>, context: Pick<Context, "err">, work: (item: T) => Promise<void>): Promise<number> {
  let code: number = EXIT.done;
  for (const item of items) code = Math.max(code, await explained(context, () => work(item).then(() => EXIT.done)));
  return code;
}
