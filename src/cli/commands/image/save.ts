// podgen image save: images of the store as one archive, into a file or to standard output.
import { resolve } from "node:path";
import type { ArchiveFormat, StoredImage } from "../../../ports/image-store.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { matchImages } from "../../image-names.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const output = args.text("output") ?? "-";
  if (output === "-" && context.out.isTTY) throw new UserError("an archive is not for a terminal", EXIT.usage, "-o FILE, or a pipe");
  const store = await context.host.imageStore();
  const all = await store.list();
  const wanted = args.list("images").flatMap((word) => matchImages(word, all, context));
  const images = [...byDigest(wanted)].map(([, same]) => ({
    reference: same[0]?.reference ?? "",
    names: same.map((i) => i.reference).filter(isName),
  }));
  const pieces = store.save(images, (args.text("format") ?? "oci-archive") as ArchiveFormat);
  if (output === "-") for await (const piece of pieces) await context.out.bytes(piece);
  else await (await context.host.files()).stream(resolve(context.cwd, output), pieces, 0o644);
  return EXIT.done;
}

/** An image under several names is in the archive once. */
function byDigest(images: readonly StoredImage[]): Map<string, StoredImage[]> {
  const found = new Map<string, StoredImage[]>();
  for (const image of new Set(images)) found.set(image.digest, [...(found.get(image.digest) ?? []), image]);
  return found;
}

/** `oci:/folder:x` says where an image came from, not what it is called. */
function isName(reference: string): boolean {
  return !/^[a-z-]+:\//.test(reference) && !reference.includes("@");
}
