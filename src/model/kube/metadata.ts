// What every object has: name, namespace, labels, annotations.
import type { Reader } from "../../spec/reader.js";
import type { ObjectRef } from "../types.js";

/** `at` is the place of the name: what a finding about the object as a whole should show. */
export function readMetadata<K extends ObjectRef["kind"]>(kind: K, document: Reader): ObjectRef & { readonly kind: K } {
  const metadata = document.object("metadata");
  return {
    kind,
    name: metadata?.text("name") ?? "",
    namespace: metadata?.text("namespace") ?? "default",
    labels: metadata?.textMap("labels") ?? {},
    annotations: metadata?.textMap("annotations") ?? {},
    at: (metadata?.place("name") ?? document.node.place).at,
  };
}
