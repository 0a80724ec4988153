// podgen image df: what the store takes, and what of it could be freed.
import { size } from "../../../base/bytes.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { podsByImage } from "../../image-names.js";
import { manifestOf } from "../../pods.js";
import { json, table } from "../../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const [store, manifest] = await Promise.all([context.host.imageStore(), manifestOf(context)]);
  const usage = await store.usage([...podsByImage(manifest).keys()]);
  if (args.text("output") === "json") {
    context.out.write(json("ImageUsage", { ...usage }));
    return EXIT.done;
  }
  const kinds = ["layers", "blobs", "downloads"] as const;
  const rows = kinds.map((kind) => [kind, String(usage[kind].count), size(usage[kind].bytes), size(usage[kind].freeable)]);
  context.out.write(table([["KIND", "COUNT", "SIZE", "FREEABLE"], ...rows]));
  if (usage.images.length > 0)
    context.out.write(
      `\n${table([["IMAGE", "OWN LAYERS", "SHARED"], ...usage.images.map((i) => [i.reference, size(i.unique), size(i.shared)])])}`,
    );
  if (usage.unknown > 0) context.err.write(`${usage.unknown} layers of an older podgen are of unknown size and not counted\n`);
  return EXIT.done;
}
