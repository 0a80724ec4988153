// podgen image manifest exists: the answer is the exit code.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT } from "../../../exit.js";
import { listName } from "../../../image-list-words.js";

export async function run(args: Args, context: Context): Promise<number> {
  const lists = await context.host.imageLists();
  return (await lists.get(listName(args, context))) === undefined ? EXIT.failed : EXIT.done;
}
