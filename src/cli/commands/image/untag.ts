// podgen image untag: takes names away; nothing is freed before the next prune.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { forEach } from "../../image-errors.js";
import { matchImages, neededBy } from "../../image-names.js";
import { manifestOf } from "../../pods.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const [store, manifest] = await Promise.all([context.host.imageStore(), manifestOf(context)]);
  return forEach(args.list("images"), context, async (word) => {
    const [image, ...more] = matchImages(word, await store.list(), context);
    if (image === undefined || more.length > 0)
      throw new UserError(`${word} means several names`, EXIT.failed, "untag takes a name, not an id");
    const pods = neededBy(image, manifest, "name");
    if (pods.length > 0) throw new UserError(`${image.reference} is the name by which ${pods.join(", ")} asks for it`, EXIT.failed);
    await store.untag(image.reference);
  });
}
