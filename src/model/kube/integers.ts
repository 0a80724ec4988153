// Lists of integers.
import type { Node } from "../../spec/node.js";

/** The integers in a list; none where it is no list. */
export function integersOf(node: Node | undefined): number[] {
  if (node?.kind !== "seq") return [];
  return node.items.flatMap((item) => (item.kind === "scalar" && typeof item.value === "bigint" ? [Number(item.value)] : []));
}
