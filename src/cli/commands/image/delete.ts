// podgen image delete: what names mean in their registry is deleted there; the digests on standard output.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { targetOf } from "../../image-places.js";
import { Names } from "../../image-short-places.js";

/** Exit 1 when one of them cannot be deleted; the others are all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  const names = new Names(context);
  const places: string[] = [];
  for (const word of args.list("images")) {
    if (!word.startsWith("docker://"))
      throw new UserError(
        `${word} is in no registry`,
        EXIT.usage,
        "only docker://… can be deleted so; of the store podgen image rm removes",
      );
    places.push(await targetOf(word, context, names));
  }
  const copies = await context.host.imageCopies();
  let code: number = EXIT.done;
  for (const place of places) {
    const one = await explained(context, async () => {
      context.out.write(`${await copies.remove(place)}\n`);
      return EXIT.done;
    });
    code = Math.max(code, one);
  }
  if (code === EXIT.done) await names.keep();
  return code;
}
