// The downward API: which fields of a pod and resources of its containers may become variables and files.

import type { Reader } from "../../spec/reader.js";
import type { Problem } from "../../spec/report.js";
import type { DownwardValue } from "../types.js";
import { labelKey } from "./formats.js";
import { parseQuantity } from "./quantity.js";

/** A field's path in parts: `metadata.labels['app']` is metadata.labels and app. */
export interface FieldPath {
  readonly field: string;
  readonly key?: string;
}

const MAPS = ["metadata.labels", "metadata.annotations"];
const IN_BOTH = ["metadata.name", "metadata.namespace", "metadata.uid"];
/** Known at each start only. */
const ADDRESSES = ["status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs"];
const IN_VARIABLES = [...IN_BOTH, "spec.nodeName", "spec.serviceAccountName", ...ADDRESSES];
const RESOURCES = ["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

/** Undefined for what is no path at all. */
export function parseFieldPath(text: string): FieldPath | undefined {
  const match = /^([A-Za-z.]+)(?:\['([^']+)'\])?$/.exec(text);
  if (match === null) return undefined;
  const [, field = "", key] = match;
  return key === undefined ? { field } : { field, key };
}

/** A field that a variable can hold. */
export function variableField(text: string): Problem | undefined {
  return check(text, IN_VARIABLES, false);
}

/** A field that a file can hold: also all labels, or annotations. */
export function fileField(text: string): Problem | undefined {
  return check(text, IN_BOTH, true);
}

function check(text: string, fields: readonly string[], whole: boolean): Problem | undefined {
  const path = parseFieldPath(text);
  if (path?.key !== undefined && MAPS.includes(path.field)) return labelKey(path.key);
  if (path !== undefined && path.key === undefined && (fields.includes(path.field) || (whole && MAPS.includes(path.field))))
    return undefined;
  const all = [...fields, ...MAPS.map((map) => `${map}['KEY']`), ...(whole ? MAPS : [])];
  return { problem: `is no field that can be had here: ${all.join(", ")}` };
}

export function resourceName(text: string): Problem | undefined {
  if (RESOURCES.includes(text)) return undefined;
  if (/^(limits|requests)\.(ephemeral-storage|hugepages-.+)$/.test(text))
    return { code: "refused-value", problem: "is not supported: podgen does not limit it yet" };
  return { problem: `is none of ${RESOURCES.join(", ")}` };
}

/** A unit to give a value in: 1m, 1Mi. Zero is the default, one. */
export function divisor(text: string): Problem | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return { problem: "is not a quantity", hint: "write it like 1m or 1Mi" };
  return quantity.numerator < 0n ? { problem: "is negative" } : undefined;
}

/** What fieldRef or resourceFieldRef of an object asks for; undefined where it has neither. */
export function readDownward(reader: Reader | undefined): (DownwardValue & { readonly at: Reader }) | undefined {
  const field = reader?.object("fieldRef");
  if (field !== undefined) return { kind: "field", path: field.text("fieldPath") ?? "", at: field };
  const resource = reader?.object("resourceFieldRef");
  if (resource === undefined) return undefined;
  const container = resource.text("containerName");
  return {
    kind: "resource",
    resource: resource.text("resource") ?? "",
    divisor: resource.quantity("divisor") ?? "1",
    ...(container === undefined ? {} : { container }),
    at: resource,
  };
}
