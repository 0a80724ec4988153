// Words of `podgen image manifest …`: lists by name, images to add, and what is said of them.
import type { EntryWords, ListPlatform } from "../ports/image-lists.js";
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { nameOf } from "./image-names.js";
import { inspectable } from "./image-places.js";
import type { Names } from "./image-short-places.js";

/** A list's name: as an image's, without a registry it is of localhost. Throws UserError. */
export function listName(args: Args, context: Pick<Context, "cwd">): string {
  return nameOf(args.text("list") ?? "", context);
}

/** An image to add: of a registry, or of the store. Throws UserError (64) for another transport. */
export async function addable(word: string, context: Pick<Context, "cwd" | "host">, names: Names): Promise<string> {
  const place = await inspectable(word, context, names);
  if (/^(?:docker:\/\/|store:)/.test(place)) return place;
  throw new UserError(`${word} may be gone when the list is pushed`, EXIT.usage, `podgen image copy ${word} store:NAME first`);
}

/** KEY=VALUE, of the option --annotation. Throws UserError (64). */
export function annotationsOf(args: Args): Record<string, string> {
  return Object.fromEntries(
    args.list("annotation").map((word) => {
      const equals = word.indexOf("=");
      if (equals < 1) throw new UserError(`--annotation ${word}: it is KEY=VALUE`, EXIT.usage);
      return [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

/** What the options say of one image; undefined: nothing. */
export function wordsOf(args: Args): EntryWords | undefined {
  const text = (option: string, key: keyof ListPlatform) => (args.text(option) === undefined ? {} : { [key]: args.text(option) });
  const texts = (option: string, key: keyof ListPlatform) => (args.list(option).length === 0 ? {} : { [key]: args.list(option) });
  const platform: Partial<ListPlatform> = {
    ...text("os", "os"),
    ...text("arch", "architecture"),
    ...text("variant", "variant"),
    ...text("os-version", "osVersion"),
    ...texts("os-features", "osFeatures"),
    ...texts("features", "features"),
  };
  const annotations = annotationsOf(args);
  const said = {
    ...(Object.keys(platform).length === 0 ? {} : { platform }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return Object.keys(said).length === 0 ? undefined : said;
}
