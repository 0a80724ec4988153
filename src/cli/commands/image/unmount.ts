// podgen image unmount: what image mount has mounted in this shell.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { forEach } from "../../image-errors.js";
import { matchImages, onlyImage } from "../../image-names.js";
import { requireUnshare } from "./mount.js";

export async function run(args: Args, context: Context): Promise<number> {
  requireUnshare(context, "unmount");
  const words = args.list("images");
  if (words.length > 0 === args.flag("all")) throw new UserError("name images, or say --all", EXIT.usage);
  const store = await context.host.imageStore();
  const mounted = await store.mounts();
  const digests = args.flag("all") ? mounted.map((one) => one.digest) : words;
  return forEach(digests, context, async (word) => {
    // One that has lost its last name meanwhile is known by its digest still.
    const own = mounted.find((one) => one.digest === word || (/^[0-9a-f]{12,64}$/.test(word) && one.digest.slice(7).startsWith(word)));
    const digest = own?.digest ?? onlyImage(matchImages(word, await store.list(), context)).digest;
    if (!(await store.unmount(digest, args.flag("force")))) throw new UserError(`${word} is not mounted here`);
  });
}
