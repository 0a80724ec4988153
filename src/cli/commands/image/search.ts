// podgen image search: repositories by a word in their name, of one registry or of all that are to be searched.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained, forEach } from "../../image-errors.js";
import { printListing } from "../../listing.js";

const REGISTRY = /^(?:[A-Za-z0-9.-]*[.:][A-Za-z0-9.:-]*|localhost|\[[0-9A-Fa-f:]+\](?::\d+)?)$/;

/** A word without a registry is searched in all that registries.conf lists; exit 1 when one of them cannot be asked. */
export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("term") ?? "";
  const slash = word.indexOf("/");
  const named = REGISTRY.test(slash < 0 ? "" : word.slice(0, slash));
  const term = named ? word.slice(slash + 1) : word;
  if (term === "") throw new UserError(`${word} does not say what to search`, EXIT.usage, "write REGISTRY/TERM, docker.io/nginx say");
  const limit = args.number("limit") ?? 25;
  const copies = await context.host.imageCopies();
  return explained(context, async () => {
    const registries = named ? [word.slice(0, slash)] : await copies.searched();
    if (registries.length === 0) {
      const why = "and no unqualified-search-registries of registries.conf does";
      throw new UserError(`${word} does not say where to search, ${why}`, EXIT.usage, `write REGISTRY/TERM, docker.io/${term} say`);
    }
    // Side by side, told in the order of the file; one that cannot be asked does not hide what others found.
    const answers = await Promise.allSettled(registries.map((registry) => copies.search(registry, term, limit)));
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
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
    const failed = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
    return forEach(failed, context, async (reason) => {
      throw reason;
    });
  });
}

/** What somebody wrote about his image, on one line of a table and without escape sequences. */
function line(text = "-"): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return plain.length > 60 ? `${plain.slice(0, 59)}…` : plain;
}
