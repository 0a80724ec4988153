// User namespaces of pods: what a spec may ask for, and the id maps that come of it. Values that cross stages.

/** What a spec asks for. `shared`: the user's one namespace, which all pods without a wish have. */
export type UsernsWish =
  | { readonly mode: "shared" | "nomap" }
  | { readonly mode: "keep-id"; readonly uid?: number; readonly gid?: number }
  | { readonly mode: "auto"; readonly size?: number };

/** First id in the pod's namespace, first id in the user's (where 0 is the user, and subordinate ids begin with 1), how many. */
export type IdRange = readonly [inside: number, outside: number, count: number];

/** The maps of a pod with a namespace of its own. */
export interface UsernsMaps {
  readonly mode: Exclude<UsernsWish["mode"], "shared">;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** An id of the pod as the user's namespace has it, or undefined where the map has none. */
export function outsideId(ranges: readonly IdRange[], id: number): number | undefined {
  const range = ranges.find(([inside, , count]) => id >= inside && id < inside + count);
  return range === undefined ? undefined : range[1] + id - range[0];
}

/** The value of `io.podgen.userns`, and of podrt's --map (native/README.md). */
export function mapsJson({ uids, gids }: Pick<UsernsMaps, "uids" | "gids">): string {
  return JSON.stringify({ uids, gids });
}
