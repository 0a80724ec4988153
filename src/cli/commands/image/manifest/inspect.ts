// podgen image manifest inspect: a list of the store, or whatever index or manifest a place names, as JSON.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT } from "../../../exit.js";
import { explained } from "../../../image-errors.js";
import { listName } from "../../../image-list-words.js";
import { hasTransport, inspectable } from "../../../image-places.js";
import { Names } from "../../../image-short-places.js";

export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("list") ?? "";
  return explained(context, async () => {
    const lists = await context.host.imageLists();
    const name = hasTransport(word) ? undefined : listName(args, context);
    if (name !== undefined && (await lists.get(name)) !== undefined) print(await lists.index(name), context);
    else {
      const names = new Names(context);
      const place = await inspectable(word, context, names);
      print((await (await context.host.imageCopies()).inspect(place, { raw: true })).manifest, context);
      await names.keep();
    }
    return EXIT.done;
  });
}

/** As people read it; `podgen image inspect --raw` gives the bytes. */
function print(bytes: Uint8Array, { out }: Context): void {
  out.write(`${JSON.stringify(JSON.parse(Buffer.from(bytes).toString("utf8")), null, 4)}\n`);
}
