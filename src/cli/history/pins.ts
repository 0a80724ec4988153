// Images that only old generations need: they stay in the store, so that there is a way back without a registry.
import type { Context } from "../context.js";
import { lineageNames, readGenerations } from "./store.js";

/** Digests of manifests. A generation that cannot be read holds nothing: rollback says so. */
export async function generationPins(context: Context): Promise<string[]> {
  const [files, { paths }] = [await context.host.files(), context.host];
  const digests = new Set<string>();
  for (const name of await lineageNames(paths, files))
    for (const { content } of await readGenerations(paths, files, name).catch(() => []))
      for (const { digest } of content.images) digests.add(digest);
  return [...digests];
}
