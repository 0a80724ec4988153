// podgen image delete: what names mean in their registry is deleted there; the digests on standard output.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { placeOf } from "../../image-places.js";

/** Exit 1 when one of them cannot be deleted; the others are all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  const places = args.list("images").map((word) => {
    const place = placeOf(word, context);
    if (place.startsWith("docker://")) return place;
    throw new UserError(`${word} is in no registry`, EXIT.usage, "only docker://… can be deleted so; of the store podgen image rm removes");
  });
  const copies = await context.host.imageCopies();
  let code: number = EXIT.done;
  for (const place of places) {
    const one = await explained(context, async () => {
      context.out.write(`${await copies.remove(place)}\n`);
      return EXIT.done;
    });
    code = Math.max(code, one);
  }
  return code;
}
