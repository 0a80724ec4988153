// What went wrong with an image, told as every command of the group tells it.
import { isImageError } from "../ports/images.js";
import type { Context } from "./context.js";
import { EXIT } from "./exit.js";

/** Runs `work`; an ImageError becomes a message, with its hint, and exit 1. */
export async function explained(context: Pick<Context, "err">, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!isImageError(error)) throw error;
    context.err.write(`podgen: error: ${error.message}\n${error.hint === undefined ? "" : `  hint: ${error.hint}\n`}`);
    return EXIT.failed;
  }
}
