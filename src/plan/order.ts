// Pods that wait for others: names made into pods, of this apply or installed, and circles through both.
import type { Diagnostic } from "../base/diagnostic.js";
import type { ManifestPod } from "../base/installed.js";
import { isDriven } from "../base/job.js";
import { circleOf, type PodEdge } from "../base/pod-order.js";
import { isPodKey } from "../base/service.js";
import { CIRCLE_HINT, circleProblem, podsMeant } from "../model/kube/rules/pod-order.js";
import type { PodModel } from "../model/types.js";
import { containerUnit } from "./names.js";
import type { PlannedAfter } from "./types.js";

/** Pods of earlier applies, by name. */
export type InstalledPods = Readonly<Record<string, Pick<ManifestPod, "name" | "units" | "after" | "owner" | "service"> | undefined>>;

/** What every pod of an apply waits for, by its name, and what is wrong with that. */
export interface PlannedOrder {
  readonly after: ReadonlyMap<string, readonly PlannedAfter[]>;
  readonly diagnostics: readonly Diagnostic[];
}

export function planOrder(pods: readonly PodModel[], installed: InstalledPods): PlannedOrder {
  const diagnostics: Diagnostic[] = [];
  const waiting = pods.filter((pod) => pod.order !== undefined);
  if (waiting.length === 0) return { after: new Map(), diagnostics };
  const units = unitsOf(pods, installed);
  const present = new Set(pods.map((p) => p.name));
  const others = Object.values(installed).flatMap((p) => (p === undefined || !isPodKey(p.name) || present.has(p.name) ? [] : [p]));
  const known = [...pods, ...others];
  const after = new Map(
    waiting.map((pod): [string, PlannedAfter[]] => {
      const edges = new Map<string, PlannedAfter>();
      for (const item of pod.order ?? []) {
        const meant = podsMeant(item, known);
        if (meant.length === 0) diagnostics.push(unknown(pod, item));
        const driven = known.find((p) => meant.includes(p.name) && isDriven(p.owner));
        if (driven?.owner !== undefined) {
          diagnostics.push(ofJob(pod, item, driven.owner.name));
          continue;
        }
        for (const name of meant) {
          if (name === pod.name) continue;
          edges.set(name, { pod: name, condition: item.condition, requires: item.requires, units: units.get(name) ?? [] });
          const other = pods.find((p) => p.name === name);
          if (item.condition === "completed" && other?.restartPolicy === "Always") diagnostics.push(endless(pod, item, name));
        }
      }
      return [pod.name, [...edges.values()].sort((a, b) => (a.pod < b.pod ? -1 : 1))];
    }),
  );
  diagnostics.push(...circles(waiting, after, others));
  return { after, diagnostics };
}

type Item = NonNullable<PodModel["order"]>[number];

function keyOf(item: Item): string {
  return `podgen.io/${item.requires ? "requires" : "after"}`;
}

function unknown(pod: PodModel, item: Item): Diagnostic {
  const what = `${keyOf(item)} of pod "${pod.name}": there is no ${item.kind ?? "pod"} "${item.name}", neither here nor installed`;
  return item.requires
    ? { code: "unknown-pod", severity: "error", message: what, at: item.at, hint: "apply it before, or together with this one" }
    : { code: "unknown-pod", severity: "warning", message: `${what}: not waited for`, at: item.at };
}

/** Its pods start and end as its controller wants it, and are more than one after the other. */
function ofJob(pod: PodModel, item: Item, job: string): Diagnostic {
  const message = `${keyOf(item)} of pod "${pod.name}": Job "${job}" cannot be waited for yet`;
  return { code: "refused-value", severity: "error", message, at: item.at, hint: "write its template as a Pod, which can be" };
}

function endless(pod: PodModel, item: Item, name: string): Diagnostic {
  const message = `${keyOf(item)} of pod "${pod.name}": pod "${name}" has restartPolicy Always and never completes`;
  return {
    code: "never-completes",
    severity: "error",
    message,
    at: item.at,
    hint: `write ${name}:ready, or give that pod restartPolicy OnFailure`,
  };
}

/** Only those with an installed pod in them: the others the model has told of. */
function circles(
  waiting: readonly PodModel[],
  after: PlannedOrder["after"],
  others: readonly Pick<ManifestPod, "name" | "after">[],
): Diagnostic[] {
  const edges = new Map<string, readonly PodEdge[]>([...others.map((p) => [p.name, p.after ?? []] as const), ...after]);
  const outside = new Set(others.map((p) => p.name));
  const told = new Set<string>();
  return waiting.flatMap((pod): Diagnostic[] => {
    const circle = circleOf(pod.name, edges);
    if (circle === undefined || !circle.some((name) => outside.has(name)) || circle.some((name) => told.has(name))) return [];
    for (const name of circle) told.add(name);
    const at = pod.order?.[0]?.at ?? pod.at;
    return [{ code: "order-circle", severity: "error", message: circleProblem(circle), at, hint: CIRCLE_HINT }];
  });
}

/** The container units of each pod, init containers' too. */
function unitsOf(pods: readonly PodModel[], installed: InstalledPods): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const pod of Object.values(installed))
    if (pod !== undefined)
      found.set(
        pod.name,
        pod.units.filter((u) => /^pod-[^_]+_[^_]+\.service$/.test(u)),
      );
  for (const pod of pods)
    found.set(
      pod.name,
      [...pod.initContainers, ...pod.containers].map((c) => containerUnit(pod.name, c.name)),
    );
  return found;
}
