// podgen image manifest add: images into a list; their digests on standard output.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT, UserError } from "../../../exit.js";
import { explained } from "../../../image-errors.js";
import { addable, listName, wordsOf } from "../../../image-list-words.js";
import { Names } from "../../../image-short-places.js";
import { refuseRoot } from "../../apply.js";

/** What is said of an image also chooses it, where its place has several. Exit 1 when one cannot be added. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const name = listName(args, context);
  const words = wordsOf(args);
  const all = args.flag("all");
  const images = args.list("images");
  if (words !== undefined && (all || images.length > 1))
    throw new UserError("what is said of one image cannot be said of several", EXIT.usage, "add them one by one");
  const { os = "linux", architecture, variant = "" } = words?.platform ?? {};
  const choose = architecture === undefined ? {} : { choose: { os, architecture, variant } };
  const lists = await context.host.imageLists();
  return explained(context, async () => {
    const names = new Names(context);
    for (const word of images)
      for (const digest of await lists.add(name, await addable(word, context, names), { all, ...choose, words: words ?? {} }))
        context.out.write(`${digest}\n`);
    await names.keep();
    return EXIT.done;
  });
}
