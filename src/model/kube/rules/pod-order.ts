// Pods that wait for each other would never start: circles among the pods of one apply. Those with installed pods are planning's matter.
import { circleOf, type PodEdge } from "../../../base/pod-order.js";
import { quote } from "../../../spec/quote.js";
import type { PodModel, PodOrder } from "../../types.js";
import type { PodView } from "../view.js";

/** `views`: where findings go, of a template's pods to the template; `models`: all pods. */
export function podOrder(views: readonly PodView[], models: readonly PodModel[]): void {
  const edges = new Map(models.map((pod) => [pod.name, (pod.order ?? []).flatMap((item) => edgesOf(item, models))]));
  const told = new Set<string>();
  for (const { model, report, reader } of views) {
    const annotations = reader.object("metadata")?.object("annotations");
    const twice = (model.order ?? []).find((item, i, all) => all.findIndex((o) => o.name === item.name && o.kind === item.kind) < i);
    if (annotations !== undefined && twice !== undefined) {
      const problem = `${quote(twice.name)} is required already, which has this pod wait for it, too`;
      report.error("contradiction", annotations.place(KEYS.after), annotations.pathOf(KEYS.after), problem, "keep one of them");
    }
    const circle = circleOf(model.name, edges);
    if (circle === undefined || annotations === undefined || circle.some((name) => told.has(name))) continue;
    for (const name of circle) told.add(name);
    const key =
      model.order?.find((item) => edgesOf(item, models).some((e) => e.pod === circle[1]))?.requires === true ? KEYS.requires : KEYS.after;
    report.error("order-circle", annotations.place(key), annotations.pathOf(key), circleProblem(circle), CIRCLE_HINT);
  }
}

const KEYS = { after: "podgen.io/after", requires: "podgen.io/requires" } as const;
export const CIRCLE_HINT = "take one of these out";

/** `web -> db -> web` */
export function circleProblem(circle: readonly string[]): string {
  return circle.length === 2 ? "the pod waits for itself" : `pods wait for each other in a circle: ${circle.join(" -> ")}`;
}

function edgesOf(item: PodOrder, pods: readonly PodModel[]): PodEdge[] {
  return podsMeant(item, pods).map((pod) => ({ pod, condition: item.condition, requires: item.requires }));
}

/** Who can be meant: a pod, with the workload that it belongs to. */
export interface Meant {
  readonly name: string;
  readonly owner?: { readonly kind: string; readonly name: string };
}

/** The names of the pods that an item of the list means. */
export function podsMeant(item: PodOrder, pods: readonly Meant[]): string[] {
  if (item.kind === undefined || item.kind === "pod") {
    const pod = pods.find((p) => p.name === item.name);
    if (pod !== undefined || item.kind === "pod") return pod === undefined ? [] : [pod.name];
  }
  const owned = pods.filter((p) => p.owner?.name === item.name && (item.kind === undefined || p.owner.kind.toLowerCase() === item.kind));
  return owned.map((p) => p.name);
}
