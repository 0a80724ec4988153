// podgen image manifest push: a list and its images into a registry, or to another place; the digest on standard output.
import type { Args } from "../../../args.js";
import type { Context } from "../../../context.js";
import { EXIT } from "../../../exit.js";
import { listName } from "../../../image-list-words.js";
import { hasTransport, targetOf } from "../../../image-places.js";
import { Names } from "../../../image-short-places.js";
import { transfer } from "../copy.js";

/** Without a destination it goes where its name says. */
export async function run(args: Args, context: Context): Promise<number> {
  const name = listName(args, context);
  const wanted = args.text("destination") ?? name;
  const names = new Names(context);
  const to = await targetOf(hasTransport(wanted) ? wanted : `docker://${wanted}`, context, names);
  const code = await transfer(args, context, `list:${name}`, to, args.flag("all") ? { all: true } : { all: true, indexOnly: true });
  if (code !== EXIT.done) return code;
  await names.keep();
  if (args.flag("rm")) await (await context.host.imageLists()).remove(name);
  return code;
}
