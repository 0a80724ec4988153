// podgen image pull: images into the store, one after the other; digests on standard output.
import { shortImage } from "../../../model/kube/image.js";
import type { PullPolicy } from "../../../ports/images.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { forEach } from "../../image-errors.js";
import { referenceOf } from "../../image-names.js";
import { createPullPrinter } from "../../progress.js";
import { settle } from "../../short-names.js";
import { chooser, refuseRoot } from "../apply.js";

/** Exit 1 when one of them cannot be had; the others are pulled all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const policy = (args.text("policy") ?? "Always") as PullPolicy;
  const images = await context.host.images();
  const chosen = new Map<string, string>();
  const references = new Set<string>();
  for (const word of args.list("images")) {
    const short = shortImage(word);
    const found = short === undefined ? referenceOf(word, context) : await settle(short, policy, { images, ...chooser(context), chosen });
    if (typeof found !== "string") throw found;
    references.add(found);
  }
  return forEach(references, context, async (reference) => {
    const printer = args.flag("quiet") ? undefined : createPullPrinter(context.err, { tty: context.err.isTTY });
    try {
      const facts = await images.inspect(reference, policy);
      await images.ensure(facts, (step) => printer?.(step));
      printer?.close();
      context.out.write(`${facts.digest}\n`);
      for (const [short, choice] of chosen) if (choice === reference) await images.remember(short, choice);
    } finally {
      printer?.close();
    }
  });
}
