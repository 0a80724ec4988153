// podgen image pull: images into the store, one after the other; digests on standard output.
import type { PullPolicy } from "../../../ports/images.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { forEach } from "../../image-errors.js";
import { referenceOf } from "../../image-names.js";
import { createPullPrinter } from "../../progress.js";
import { refuseRoot } from "../apply.js";

/** Exit 1 when one of them cannot be had; the others are pulled all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const references = new Set(args.list("images").map((word) => referenceOf(word, context)));
  const policy = (args.text("policy") ?? "Always") as PullPolicy;
  const images = await context.host.images();
  return forEach(references, context, async (reference) => {
    const printer = args.flag("quiet") ? undefined : createPullPrinter(context.err, { tty: context.err.isTTY });
    try {
      const facts = await images.inspect(reference, policy);
      await images.ensure(facts, (step) => printer?.(step));
      printer?.close();
      context.out.write(`${facts.digest}\n`);
    } finally {
      printer?.close();
    }
  });
}
