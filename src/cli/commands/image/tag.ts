// podgen image tag: one more name, or several, for an image of the store.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { matchImages, nameOf, onlyImage } from "../../image-names.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const store = await context.host.imageStore();
  const image = onlyImage(matchImages(args.text("image") ?? "", await store.list(), context));
  const names = args.list("names").map((word) => nameOf(word, context));
  for (const name of names)
    if (name.includes("@")) throw new UserError(`${name}: a name with a digest cannot be given`, EXIT.usage, "leave the digest out");
  for (const name of names) await store.tag(image.reference, name);
  return EXIT.done;
}
