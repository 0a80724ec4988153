// podgen image manifest annotate: says more of an image of a list, or of the list itself.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT, UserError } from "../../../exit.js";
import { explained } from "../../../image-errors.js";
import { listName, wordsOf } from "../../../image-list-words.js";
import { refuseRoot } from "../../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const name = listName(args, context);
  const words = wordsOf(args);
  const digest = args.text("digest");
  const index = args.flag("index");
  if (index === (digest !== undefined)) throw new UserError("name an image of the list by its digest, or give --index", EXIT.usage);
  if (words === undefined)
    throw new UserError("there is nothing to say", EXIT.usage, "--annotation KEY=VALUE, --arch, --variant and others");
  if (index && words.platform !== undefined)
    throw new UserError("a list has no platform: with --index goes --annotation alone", EXIT.usage);
  const lists = await context.host.imageLists();
  return explained(context, async () => {
    await lists.annotate(name, digest, words);
    context.out.write(`${name}\n`);
    return EXIT.done;
  });
}
