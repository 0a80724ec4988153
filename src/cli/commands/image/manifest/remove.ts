// podgen image manifest remove: images out of a list; their digests on standard output.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { forEach } from "../../../image-errors.js";
import { listName } from "../../../image-list-words.js";
import { refuseRoot } from "../../apply.js";

/** Exit 1 when the list does not have one of them; the others go all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const name = listName(args, context);
  const lists = await context.host.imageLists();
  return forEach(args.list("digests"), context, async (digest) => context.out.write(`${await lists.drop(name, digest)}\n`));
}
