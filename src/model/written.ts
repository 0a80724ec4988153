// Objects as people wrote them, with what does not count taken away: order of keys, comments, quotes, style, lists around them.
import { canonical } from "../spec/canonical.js";
import { isNull, type MapNode, type Node, type SpecDocument } from "../spec/node.js";
import { KINDS, listedKind, versionOf } from "./kube/kinds.js";

/** A value of JSON. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface Written {
  readonly kind: string;
  readonly name: string;
  readonly object: Readonly<Record<string, Plain>>;
}

/** kubectl keeps here what it applied last, a Secret's values among it. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** All objects of good documents (buildModel has found no error), those of lists one by one, in their order. */
export function writtenObjects(documents: readonly SpecDocument[]): Written[] {
  return documents.flatMap(({ root }) => objectsOf(root));
}

function objectsOf(node: Node, listed?: string): Written[] {
  if (node.kind !== "map") return [];
  const kind = textAt(node, "kind") ?? listed;
  const items = node.entries.get("items")?.value;
  const inner = listedKind(kind ?? "");
  if (kind === "List" || inner !== undefined)
    return items?.kind === "seq" ? items.items.filter((item) => !isNull(item)).flatMap((item) => objectsOf(item, inner)) : [];
  if (kind === undefined || !KINDS.has(kind)) return [];
  const metadata = node.entries.get("metadata")?.value;
  const name = metadata?.kind === "map" ? textAt(metadata, "name") : undefined;
  if (name === undefined) return [];
  const object = JSON.parse(canonical(node)) as Record<string, Plain>;
  return [{ kind, name, object: { apiVersion: versionOf(kind), kind, ...withoutLastApplied(object) } }];
}

function withoutLastApplied(object: Readonly<Record<string, Plain>>): Record<string, Plain> {
  const { annotations, ...metadata } = object["metadata"] as { readonly [key: string]: Plain };
  if (annotations === undefined || annotations === null) return { ...object };
  const rest = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED));
  return { ...object, metadata: { ...(Object.keys(rest).length === 0 ? {} : { annotations: rest }), ...metadata } };
}

function textAt(node: MapNode, key: string): string | undefined {
  const value = node.entries.get(key)?.value;
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;
}
