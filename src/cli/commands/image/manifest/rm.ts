// podgen image manifest rm: lists out of the store; what only they needed goes with the next prune.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { UserError } from "../../../exit.js";
import { forEach } from "../../../image-errors.js";
import { nameOf } from "../../../image-names.js";
import { refuseRoot } from "../../apply.js";

/** Exit 1 when one of them is not there; the others go all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const lists = await context.host.imageLists();
  return forEach(args.list("lists"), context, async (word) => {
    const name = nameOf(word, context);
    if (!(await lists.remove(name))) throw new UserError(`${name}: there is no such manifest list`);
    context.out.write(`removed ${name}\n`);
  });
}
