// podgen image push: an image of the store into a registry, or to another place; the digest on standard output.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { hasTransport, inRegistry, placeOf, storedPlace } from "../../image-places.js";
import { transfer } from "./copy.js";

/** Without a destination it goes where its name says. */
export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("image") ?? "";
  const from = await storedPlace(word, context);
  const name = from.slice("store:".length);
  const wanted = args.text("destination");
  if (wanted === undefined && hasTransport(name))
    throw new UserError(`${word} does not say where it should go`, EXIT.usage, `podgen image push ${word} HOST/REPOSITORY:TAG`);
  const to = wanted !== undefined && hasTransport(wanted) ? placeOf(wanted, context) : inRegistry(wanted ?? name.replace(/@.*$/, ""));
  return transfer(args, context, from, to);
}
