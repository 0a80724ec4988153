// podgen image rm: takes names away and frees what no image needs any more; never what a pod needs.
import { size } from "../../../base/bytes.js";
import type { StoredImage } from "../../../ports/image-store.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { generationPins } from "../../history/pins.js";
import { forEach } from "../../image-errors.js";
import { matchImages, neededBy, podsByImage, shiftedOf } from "../../image-names.js";
import { manifestOf } from "../../pods.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const store = await context.host.imageStore();
  let code: number = EXIT.done;
  // While nobody else works on the store: an apply that waits for its pull may need what no pod needs yet.
  const freed = await store.prune(async () => {
    const manifest = await manifestOf(context);
    const pins = await generationPins(context);
    code = await forEach(args.list("images"), context, async (word) => {
      const all = await store.list();
      const meant = matchImages(word, all, context);
      for (const image of meant) refuseNeeded(image, all, meant, manifest);
      for (const image of meant) {
        await store.untag(image.reference);
        context.out.write(`removed ${image.reference}\n`);
      }
    });
    return { pinned: [...podsByImage(manifest).keys(), ...pins], shifted: shiftedOf(manifest) };
  });
  if (freed === undefined)
    throw new UserError("another podgen works on the store, and has not ended", EXIT.failed, "try again when it has; nothing is removed");
  if (freed.layers.length > 0) context.err.write(`freed ${freed.layers.length} layers, ${size(freed.bytes)}\n`);
  return code;
}

/** A name that a pod has in its spec stays, and so does the last name of an image that a pod needs. */
function refuseNeeded(
  image: StoredImage,
  all: readonly StoredImage[],
  going: readonly StoredImage[],
  manifest: Parameters<typeof neededBy>[1],
): void {
  const others = all.some((i) => i.digest === image.digest && !going.includes(i));
  const pods = neededBy(image, manifest, others ? "name" : "image");
  if (pods.length === 0) return;
  const hint = `podgen delete ${pods.join(" ")}, or apply ${pods.length === 1 ? "it" : "them"} with another image, first`;
  throw new UserError(
    `${image.reference} is needed by ${pods.length === 1 ? "the pod" : "the pods"} ${pods.join(", ")}`,
    EXIT.failed,
    hint,
  );
}
