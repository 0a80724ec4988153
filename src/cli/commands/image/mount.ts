// podgen image mount: images as folders, in a mount namespace of podgen unshare; without a name, what is mounted there.
import type { StoredImage } from "../../../ports/image-store.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { forEach } from "../../image-errors.js";
import { matchImages, onlyImage } from "../../image-names.js";
import { json } from "../../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  requireUnshare(context, "mount");
  const store = await context.host.imageStore();
  const words = args.list("images");
  const all = await store.list();
  const done: { readonly digest: string; readonly folder: string }[] = words.length === 0 ? [...(await store.mounts())] : [];
  const code = await forEach(words, context, async (word) => {
    const image = onlyImage(matchImages(word, all, context));
    done.push({ digest: image.digest, folder: await store.mount(image.reference) });
  });
  if (args.text("output") === "json")
    context.out.write(json("ImageMounts", { items: done.map((one) => ({ ...one, names: namesOf(one.digest, all) })) }));
  else
    for (const { digest, folder } of done)
      context.out.write(words.length > 0 ? `${folder}\n` : `${namesOf(digest, all)[0] ?? digest} ${folder}\n`);
  return code;
}

function namesOf(digest: string, images: readonly StoredImage[]): string[] {
  return images.filter((image) => image.digest === digest).map((image) => image.reference);
}

/** Only root of a user namespace may mount, and only in a mount namespace that belongs to it. Throws UserError. */
export function requireUnshare(context: Pick<Context, "uid">, verb: string): void {
  if (context.uid === 0) return;
  throw new UserError(`image ${verb} works in a shell of podgen unshare alone`, EXIT.failed, "podgen unshare, and then the same");
}
