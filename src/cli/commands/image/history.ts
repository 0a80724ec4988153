// podgen image history: the steps an image was made by, newest first.
import { size } from "../../../base/bytes.js";
import { harmless } from "../../../base/width.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { matchImages, onlyImage } from "../../image-names.js";
import { age, json, table } from "../../print.js";

/** Characters of a step's command that are shown when not all of it is asked for. */
const SHOWN = 60;

export async function run(args: Args, context: Context): Promise<number> {
  const store = await context.host.imageStore();
  const { reference } = onlyImage(matchImages(args.text("image") ?? "", await store.list(), context));
  const steps = await store.history(reference);
  if (args.text("output") === "json") {
    context.out.write(json("ImageHistory", { image: reference, steps }));
    return EXIT.done;
  }
  const now = Date.now();
  const short = (text: string) => (args.flag("full") || text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`);
  const rows = steps.map((s) => [
    s.layer === undefined ? "-" : s.layer.slice(7, 19),
    s.created === undefined || Number.isNaN(Date.parse(s.created)) ? "-" : `${age(now - Date.parse(s.created))} ago`,
    s.layer === undefined ? "0 B" : s.size === undefined ? "?" : size(s.size),
    short(harmless((s.createdBy ?? s.comment ?? "-").replace(/\s+/g, " "))),
  ]);
  context.out.write(table([["LAYER", "CREATED", "SIZE", "CREATED BY"], ...rows]));
  return EXIT.done;
}
