// The formats every listing has: text, wide, json, yaml, name.
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { json, table, yaml } from "./print.js";

export interface Listing {
  readonly kind: string;
  /** What json and yaml show. */
  readonly items: readonly object[];
  /** What json and yaml show beside them. */
  readonly beside?: Readonly<Record<string, unknown>>;
  /** Further tables of the text formats. */
  readonly more?: readonly (readonly string[][])[];
  readonly names: readonly string[];
  /** Header and rows; `wide` adds columns. */
  readonly rows: (wide: boolean) => readonly (readonly string[])[];
}

export async function printListing(args: Args, context: Context, listing: Listing): Promise<void> {
  switch (args.text("output")) {
    case "json":
      return context.out.write(json(listing.kind, { items: listing.items, ...listing.beside }));
    case "yaml":
      return context.out.write(await yaml(listing.kind, { items: listing.items, ...listing.beside }));
    case "name":
      return context.out.write(listing.names.map((n) => `${n}\n`).join(""));
    default:
      context.out.write(table(listing.rows(args.text("output") === "wide")));
      for (const rows of listing.more ?? []) context.out.write(`\n${table(rows)}`);
  }
}
