// podgen image search: repositories of a registry by a word in their name.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { printListing } from "../../listing.js";

export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("term") ?? "";
  const slash = word.indexOf("/");
  const registry = slash < 0 ? "" : word.slice(0, slash);
  const term = word.slice(slash + 1);
  if (!/^(?:[A-Za-z0-9.-]*[.:][A-Za-z0-9.:-]*|localhost|\[[0-9A-Fa-f:]+\](?::\d+)?)$/.test(registry) || term === "")
    throw new UserError(`${word} does not say where to search`, EXIT.usage, `write REGISTRY/TERM, docker.io/${term || "nginx"} say`);
  const limit = args.number("limit") ?? 25;
  const copies = await context.host.imageCopies();
  return explained(context, async () => {
    const found = await copies.search(registry, term, limit);
    await printListing(args, context, {
      kind: "SearchResultList",
      items: found,
      names: found.map((f) => f.name),
      rows: () => [
        ["NAME", "STARS", "OFFICIAL", "DESCRIPTION"],
        ...found.map((f) => [
          f.name,
          f.stars === undefined ? "-" : String(f.stars),
          f.official === true ? "yes" : "-",
          line(f.description),
        ]),
      ],
    });
    return EXIT.done;
  });
}

/** What somebody wrote about his image, on one line of a table and without escape sequences. */
function line(text = "-"): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return plain.length > 60 ? `${plain.slice(0, 59)}…` : plain;
}
