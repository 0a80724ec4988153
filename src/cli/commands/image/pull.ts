// podgen image pull: images into the store, one after the other; digests on standard output.
import { isImageError, type PullPolicy } from "../../../ports/images.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { referenceOf } from "../../image-names.js";
import { createPullPrinter } from "../../progress.js";
import { refuseRoot } from "../apply.js";

/** Exit 1 when one of them cannot be had; the others are pulled all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const references = args.list("images").map((word) => referenceOf(word, context));
  const policy = (args.text("policy") ?? "Always") as PullPolicy;
  const images = await context.host.images();
  let code: number = EXIT.done;
  for (const reference of new Set(references)) {
    const printer = args.flag("quiet") ? undefined : createPullPrinter(context.err, { tty: context.err.isTTY });
    try {
      const facts = await images.inspect(reference, policy);
      await images.ensure(facts, (step) => printer?.(step));
      printer?.close();
      context.out.write(`${facts.digest}\n`);
    } catch (error) {
      printer?.close();
      if (!isImageError(error)) throw error;
      context.err.write(`podgen: error: ${error.message}\n${error.hint === undefined ? "" : `  hint: ${error.hint}\n`}`);
      code = EXIT.failed;
    }
  }
  return code;
}
