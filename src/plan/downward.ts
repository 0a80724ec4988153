// The downward API's values: fields of the pod and resources of its containers, as the text that a variable or a file holds.
import type { Location } from "../base/diagnostic.js";
import { parseFieldPath } from "../model/kube/downward.js";
import { parseQuantity } from "../model/kube/quantity.js";
import type { Container, DownwardValue } from "../model/types.js";
import { addressMark } from "./addresses.js";
import { type PodContext, refuse } from "./context.js";
import { digestOf } from "./digest.js";

/** The text; what cannot be said is refused at `at`. `own`: the container that asks, where it is one. */
export function downwardText(context: PodContext, value: DownwardValue, own: Container | undefined, at: Location): string {
  return value.kind === "field" ? fieldText(context, value.path) : resourceText(context, value, own, at);
}

/** Labels and annotations as Kubernetes writes them: a line each, the value quoted, sorted by key. */
function fieldText({ pod, facts }: PodContext, path: string): string {
  const { field, key } = parseFieldPath(path) ?? { field: path };
  const map = (entries: Readonly<Record<string, string>>): string => {
    if (key !== undefined) return Object.hasOwn(entries, key) ? (entries[key] ?? "") : "";
    const lines = Object.entries(entries).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
    return lines.sort().join("\n");
  };
  switch (field) {
    case "metadata.name":
      return pod.name;
    case "metadata.namespace":
      return pod.namespace;
    case "metadata.uid":
      return uidOf(facts.paths.data, pod.name);
    case "metadata.labels":
      return map(pod.labels);
    case "metadata.annotations":
      return map(pod.annotations);
    case "spec.nodeName":
      return facts.machine.name;
    case "spec.serviceAccountName":
      return pod.serviceAccountName ?? "default";
    case "status.podIP":
    case "status.podIPs":
    case "status.hostIP":
    case "status.hostIPs":
      return addressMark(field.slice("status.".length));
    default:
      throw new Error(`the model lets a field through: ${path}`);
  }
}

/** There is no server that makes one up: a UUID (RFC 9562, version 8) that the pod keeps as long as it has its name. */
function uidOf(data: string, pod: string): string {
  const hex = digestOf("pod-uid", data, pod).slice(0, 32);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}

/** In units of the divisor, rounded up. No limit is all the machine has; no request is the limit, else nothing (as in Kubernetes). */
function resourceText(
  context: PodContext,
  { resource, divisor, container }: Extract<DownwardValue, { kind: "resource" }>,
  own: Container | undefined,
  at: Location,
): string {
  const { pod, facts } = context;
  const of = container === undefined ? own : [...pod.initContainers, ...pod.containers].find((c) => c.name === container);
  if (of === undefined) {
    refuse(context, "unknown-container", at, `resourceFieldRef: the pod has no container "${container ?? ""}"`);
    return "";
  }
  const isCpu = resource.endsWith(".cpu");
  const [limit, request, all] = isCpu
    ? [of.limits.cpuMillis, of.requests.cpuMillis, facts.machine.cpus * 1000]
    : [of.limits.memoryBytes, of.requests.memoryBytes, facts.machine.memoryBytes];
  const amount = BigInt(resource.startsWith("limits.") ? (limit ?? all) : (request ?? limit ?? 0));
  const parsed = parseQuantity(divisor);
  const unit = parsed === undefined || parsed.numerator === 0n ? { numerator: 1n, denominator: 1n } : parsed;
  const per = unit.numerator * (isCpu ? 1000n : 1n);
  return String((amount * unit.denominator + per - 1n) / per);
}
