// The annotations podgen.io/after and podgen.io/requires: which pods a pod waits for, and until when.
import type { Location } from "../../base/diagnostic.js";
import type { PodCondition } from "../../base/pod-order.js";
import { suggest } from "../../base/suggest.js";
import { quote } from "../../spec/quote.js";
import type { Reader } from "../../spec/reader.js";
import type { Problem } from "../../spec/report.js";
import type { PodOrder } from "../types.js";
import { annotationKey } from "./annotations.js";
import { dnsSubdomain } from "./formats.js";

const CONDITIONS: readonly PodCondition[] = ["started", "ready", "completed"];
/** `deployment/web` says which is meant where a pod and a workload have one name. */
const KINDS = ["pod", "deployment", "statefulset", "daemonset", "replicaset", "job"];

export interface OrderItem {
  readonly name: string;
  /** Lower case; absent: a pod, else a workload. */
  readonly kind?: string;
  readonly condition: PodCondition;
}

/** Items with commas between: `[KIND/]NAME[:CONDITION]`; without a condition: ready. */
export function parseOrder(value: string): readonly OrderItem[] | Problem {
  const items: OrderItem[] = [];
  for (const text of value.split(",").map((item) => item.trim())) {
    const item = parseItem(text);
    if ("problem" in item) return item;
    if (items.some((other) => other.name === item.name && other.kind === item.kind)) return { problem: `names ${quote(item.name)} twice` };
    items.push(item);
  }
  return items;
}

function parseItem(text: string): OrderItem | Problem {
  if (text === "") return { problem: "is no list of pods, with commas between", hint: 'write "db:ready, migrate:completed"' };
  const [whole = "", condition = "ready", ...more] = text.split(":").map((word) => word.trim());
  const slash = whole.indexOf("/");
  const kind = slash < 0 ? undefined : whole.slice(0, slash).toLowerCase();
  const name = whole.slice(slash + 1);
  if (more.length > 0 || dnsSubdomain(name) !== undefined)
    return { problem: `has ${quote(text)}, which is no pod's name with a condition`, hint: 'write "db:ready"' };
  if (kind !== undefined && !KINDS.includes(kind)) return { problem: `has the kind ${quote(kind)}, which is none of ${KINDS.join(", ")}` };
  if (!(CONDITIONS as readonly string[]).includes(condition)) {
    const near = suggest(condition, CONDITIONS);
    const meant = near === undefined ? "" : `, did you mean ${quote(near.word)}?`;
    return { problem: `has the condition ${quote(condition)}, which is none of ${CONDITIONS.join(", ")}${meant}` };
  }
  return { name, ...(kind === undefined ? {} : { kind }), condition: condition as PodCondition };
}

export function checkOrder(value: string): Problem | undefined {
  const parsed = parseOrder(value);
  return "problem" in parsed ? parsed : undefined;
}

/** Both annotations of a pod; `requires` first. Undefined where there is neither. */
export function readOrder(annotations: Readonly<Record<string, string>>, metadata: Reader | undefined): readonly PodOrder[] | undefined {
  const all = (["requires", "after"] as const).flatMap((name): PodOrder[] => {
    const key = annotationKey(annotations, name);
    const parsed = key === undefined ? [] : parseOrder(annotations[key] ?? "");
    if (key === undefined || "problem" in parsed) return [];
    const at: Location | undefined = metadata?.object("annotations")?.place(key).at;
    return at === undefined ? [] : parsed.map((item) => ({ ...item, requires: name === "requires", at }));
  });
  return all.length === 0 ? undefined : all;
}
