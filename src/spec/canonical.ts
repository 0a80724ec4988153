// A node as one text that is the same for the same content, however it is written: the order of keys, comments, quotes and style do not count.
import { isNull, type Node } from "./node.js";

/** JSON with sorted keys; what is null is left out, as Kubernetes takes it for absent. Numbers are told from texts. */
export function canonical(node: Node): string {
  if (node.kind === "seq") return `[${node.items.map(canonical).join(",")}]`;
  if (node.kind === "map") {
    const entries = [...node.entries].filter(([, { value }]) => !isNull(value)).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, { value }]) => `${JSON.stringify(key)}:${canonical(value)}`).join(",")}}`;
  }
  return typeof node.value === "bigint" ? node.value.toString() : JSON.stringify(node.value);
}
