// podgen image ls: one row per name of an image in the store.
import { size } from "../../../base/bytes.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { matchImages, podsByImage } from "../../image-names.js";
import { printListing } from "../../listing.js";
import { manifestOf } from "../../pods.js";
import { age } from "../../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const [store, manifest] = await Promise.all([context.host.imageStore(), manifestOf(context)]);
  const all = await store.list();
  const words = args.list("images");
  const meant = new Set(words.flatMap((word) => matchImages(word, all, context)));
  const images = words.length === 0 ? all : all.filter((i) => meant.has(i));
  const pods = podsByImage(manifest);
  const now = Date.now();
  const short = (digest: string) => (args.flag("digests") ? digest : digest.slice(7, 19));
  await printListing(args, context, {
    kind: "ImageList",
    items: images.map((i) => ({ ...i, pods: pods.get(i.digest) ?? [] })),
    names: images.map((i) => i.reference),
    rows: (wide) => [
      ["IMAGE", "DIGEST", "SIZE", "CREATED", "PODS", ...(wide ? ["ID", "LAYERS", "FROM"] : [])],
      ...images.map((i) => [
        i.reference,
        short(i.digest),
        size(i.size),
        i.created === undefined ? "-" : `${age(now - Date.parse(i.created))} ago`,
        pods.get(i.digest)?.join(",") ?? "-",
        ...(wide ? [short(i.configDigest), String(i.layers.length), i.origin === undefined ? "-" : "podman"] : []),
      ]),
    ],
  });
  return EXIT.done;
}
