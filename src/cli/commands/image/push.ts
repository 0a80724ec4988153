// podgen image push: an image of the store into a registry, or to another place; the digest on standard output.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { hasTransport, storedPlace, targetOf } from "../../image-places.js";
import { Names } from "../../image-short-places.js";
import { transfer } from "./copy.js";

/** Without a destination it goes where its name says. */
export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("image") ?? "";
  const from = await storedPlace(word, context);
  const name = from.slice("store:".length);
  const wanted = args.text("destination");
  if (wanted === undefined && hasTransport(name))
    throw new UserError(`${word} does not say where it should go`, EXIT.usage, `podgen image push ${word} HOST/REPOSITORY:TAG`);
  const names = new Names(context);
  const place = wanted !== undefined && hasTransport(wanted) ? wanted : `docker://${wanted ?? name.replace(/@.*$/, "")}`;
  const code = await transfer(args, context, from, await targetOf(place, context, names));
  if (code === EXIT.done) await names.keep();
  return code;
}
