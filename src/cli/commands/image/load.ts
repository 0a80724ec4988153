// podgen image load: the images of an archive into the store.
import { resolve } from "node:path";
import type { ArchivedImage } from "../../../ports/image-store.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { forEach } from "../../image-errors.js";
import { archivedName, nameOf } from "../../image-names.js";
import { createPullPrinter } from "../../progress.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const path = resolve(context.cwd, args.text("file") ?? "");
  const store = await context.host.imageStore();
  const found = await store.contents(path);
  const given = args.list("name").map((word) => nameOf(word, context));
  if (found.length === 0) throw new UserError(`${path} holds no image`);
  if (given.length > 0 && found.length > 1)
    throw new UserError(
      `${path} holds ${found.length} images: --name fits one only`,
      EXIT.usage,
      "without it they get the names they have there",
    );
  return forEach(found, context, async (image) => {
    const names = given.length > 0 ? given : namesOf(image);
    const printer = createPullPrinter(context.err, { tty: context.err.isTTY });
    try {
      await store.load(image, names, printer);
    } finally {
      printer.close();
    }
    for (const name of names) context.out.write(`${name}\n`);
  });
}

function namesOf(image: ArchivedImage): readonly string[] {
  const names = [...new Set(image.names.map(archivedName))];
  if (names.length > 0) return names;
  throw new UserError(`${image.source} has no name in the archive`, EXIT.failed, "give it one: --name NAME");
}
