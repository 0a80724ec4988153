// podgen image prune: frees what neither a name nor a pod needs; with --all also forgets images that no pod needs.
import { size } from "../../../base/bytes.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { generationPins } from "../../history/pins.js";
import { neededBy, podsByImage, shiftedOf } from "../../image-names.js";
import { manifestOf } from "../../pods.js";
import { json } from "../../print.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const store = await context.host.imageStore();
  const forgotten: string[] = [];
  const freed = await store.prune(async () => {
    const manifest = await manifestOf(context);
    const pins = await generationPins(context);
    for (const image of args.flag("all") ? await store.list() : [])
      if (neededBy(image, manifest, "image").length === 0 && !pins.includes(image.digest) && (await store.untag(image.reference)))
        forgotten.push(image.reference);
    return { pinned: [...podsByImage(manifest).keys(), ...pins], shifted: shiftedOf(manifest) };
  });
  if (freed === undefined)
    throw new UserError("another podgen works on the store, and has not ended", EXIT.failed, "try again when it has; nothing is removed");
  if (args.text("output") === "json") context.out.write(json("ImagePrune", { images: forgotten, ...freed }));
  else {
    for (const name of forgotten) context.out.write(`removed ${name}\n`);
    context.out.write(`freed ${freed.layers.length} layers, ${freed.blobs} blobs, ${size(freed.bytes)}\n`);
  }
  return EXIT.done;
}
