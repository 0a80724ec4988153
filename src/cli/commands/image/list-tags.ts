// podgen image list-tags: the tags of a repository, sorted.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { repositoryOf } from "../../image-places.js";
import { Names } from "../../image-short-places.js";
import { printListing } from "../../listing.js";

export async function run(args: Args, context: Context): Promise<number> {
  const names = new Names(context);
  const place = await repositoryOf(args.text("repository") ?? "", names);
  const copies = await context.host.imageCopies();
  return explained(context, async () => {
    const tags = await copies.tags(place);
    const repository = place.slice("docker://".length).replace(/:[^:/]*$/, "");
    await printListing(args, context, {
      kind: "TagList",
      items: tags.map((tag) => ({ repository, tag })),
      names: tags.map((tag) => `${repository}:${tag}`),
      rows: () => [["TAG"], ...tags.map((tag) => [tag])],
    });
    await names.keep();
    return EXIT.done;
  });
}
