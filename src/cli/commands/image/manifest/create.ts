// podgen image manifest create: a manifest list with some images, or none yet; its name on standard output.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT } from "../../../exit.js";
import { explained } from "../../../image-errors.js";
import { addable, annotationsOf, listName } from "../../../image-list-words.js";
import { Names } from "../../../image-short-places.js";
import { refuseRoot } from "../../apply.js";

/** Exit 1, and no list that was not there, when one of the images cannot be had. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const name = listName(args, context);
  const annotations = annotationsOf(args);
  const lists = await context.host.imageLists();
  return explained(context, async () => {
    const names = new Names(context);
    const places: string[] = [];
    for (const word of args.list("images")) places.push(await addable(word, context, names));
    const before = await lists.get(name);
    await lists.create(name, { amend: args.flag("amend"), annotations });
    try {
      for (const place of places) await lists.add(name, place, { all: args.flag("all"), words: {} });
    } catch (error) {
      if (before === undefined) await lists.remove(name);
      throw error;
    }
    await names.keep();
    context.out.write(`${name}\n`);
    return EXIT.done;
  });
}
