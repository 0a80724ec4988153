// Rollouts: in which order and how many at a time the pods of a workload change. Pure.
import type { Installed } from "../base/installed.js";
import { ownerName, sameOwner } from "../base/owner.js";
import type { RolloutWish } from "../base/rollout.js";
import type { Rendered, RenderedWorkload } from "../render/types.js";
import { held } from "./held.js";
import { surgeOf } from "./surge.js";
import type { ChangeSet, PodChange, Rollout, RolloutStep } from "./types.js";
import { withoutPods } from "./without.js";

/** Adds the rollouts to a change set; pods that are to stay as they are (paused, OnDelete, partition) leave it. */
export function withRollouts(changes: ChangeSet, rendered: Rendered, installed: Installed): ChangeSet {
  const workloads = rendered.workloads ?? [];
  if (workloads.length === 0) return changes;
  const stay = workloads.map((workload) => held(workload, changes, installed));
  const rest = withoutPods(changes, new Set(stay.flatMap((s) => s.pods)), installed);
  const notes = [...stay.flatMap((s) => s.notes), ...workloads.flatMap(withoutAny)];
  const rollouts = workloads.flatMap((workload) => rolloutOf(workload, rest, rendered, installed) ?? []);
  const stopped = new Set(rollouts.flatMap((r) => r.steps.flatMap((step) => step.stop)));
  const pods = rest.pods.map((p) => (stopped.has(p.name) && p.manifest !== undefined ? afterStop(p) : p));
  return { ...rest, pods, rollouts, notes: [...notes, ...rollouts.flatMap((r) => r.notes)] };
}

/** Undefined where no unit of the workload's pods is to be touched. */
function rolloutOf(workload: RenderedWorkload, changes: ChangeSet, rendered: Rendered, installed: Installed): Rollout | undefined {
  const { rollout: wish } = workload;
  const own = changes.pods.filter((p) => p.manifest !== undefined && sameOwner(p.manifest.owner, wish) && touches(p));
  const extra = changes.pods.filter((p) => p.manifest === undefined && sameOwner(installed.manifest.pods[p.name]?.owner, wish));
  if (own.length === 0 && extra.length === 0) return undefined;
  const fresh = own.filter((p) => isDown(p));
  const updates = own.filter((p) => !isDown(p)).sort((a, b) => (wish.downwards ? -1 : 1) * (numberOf(a) - numberOf(b)));
  const steps = new Steps();
  for (const pods of wish.ordered ? fresh.sort((a, b) => numberOf(a) - numberOf(b)).map((p) => [p]) : [fresh]) steps.up(pods);
  const common = { name: ownerName(wish), minReadySeconds: wish.minReadySeconds, pods: [...own, ...extra].map((p) => p.name) };
  const deadline = wish.progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds: wish.progressDeadlineSeconds };
  if (wish.how === "recreate" && updates.length > 0) {
    const whole = { stop: [...updates, ...extra].map((p) => p.name), up: [...fresh, ...updates].map((p) => p.name), remove: [] };
    return { ...common, ...deadline, surge: [], notes: [], steps: [whole, ...removal(extra, wish)] };
  }
  const spare = extra.filter((p) => runs(p.name, installed));
  const surge = updates.length === 0 || spare.length > 0 ? { pods: [] } : surgeOf(workload, updates.length, rendered, installed);
  const standIns = surge.pods.map((s) => s.change);
  steps.up(standIns);
  // One at least, or nothing would ever be replaced.
  const batch = Math.max(1, wish.maxUnavailable + spare.length + surge.pods.length);
  for (let i = 0; i < updates.length; i += batch) steps.up(updates.slice(i, i + batch));
  const gone = [...removal(extra, wish), ...removal(standIns, { ordered: false })];
  const why = surge.none === undefined ? [] : [`${ownerName(wish)}: ${surge.none}: its pods are replaced in place, ${batch} at a time`];
  return { ...common, ...deadline, surge: surge.pods, notes: why, steps: [...steps.list, ...gone] };
}

/** Nothing else would be said of it. */
function withoutAny({ rollout, pods }: RenderedWorkload): string[] {
  return pods.length > 0 ? [] : [`${ownerName(rollout)} has no pods: its replicas are 0`];
}

class Steps {
  readonly list: RolloutStep[] = [];

  up(pods: readonly PodChange[]): void {
    if (pods.length > 0) this.list.push({ stop: [], up: pods.map((p) => p.name), remove: [] });
  }
}

/** Pods that go: one after the other from the highest number, or all at once. */
function removal(pods: readonly PodChange[], { ordered }: Pick<RolloutWish, "ordered">): RolloutStep[] {
  const names = pods.map((p) => p.name);
  if (!ordered) return names.length === 0 ? [] : [{ stop: [], up: [], remove: names }];
  return names.sort((a, b) => numberIn(b) - numberIn(a)).map((name) => ({ stop: [], up: [], remove: [name] }));
}

/** A pod that is stopped first is started whole, what of it is unchanged too. */
function afterStop(pod: PodChange): PodChange {
  const units = pod.units.map((u) => {
    const { along: _, ...alone } = u;
    const rests = u.verdict === "unchanged" || u.verdict === "reload" || u.along !== undefined;
    return rests && STARTED.has(u.role) ? { ...alone, verdict: "start" as const, reasons: [...u.reasons, "all pods stop first"] } : u;
  });
  return { ...pod, units };
}

const STARTED: ReadonlySet<string> = new Set(["pod", "container", "init"]);
const TOUCHED: ReadonlySet<string> = new Set(["create", "start", "restart", "remove"]);

function touches(pod: PodChange): boolean {
  return pod.units.some((u) => TOUCHED.has(u.verdict));
}

/** It gives nothing up by being started: it is new, or some of it does not run. */
function isDown(pod: PodChange): boolean {
  return pod.units.some((u) => (u.role === "pod" || u.role === "container") && u.verdict === "start") || pod.verdict === "created";
}

function runs(name: string, installed: Installed): boolean {
  return installed.units.get(`pod-${name}.service`)?.activeState === "active";
}

function numberOf(pod: PodChange): number {
  return pod.manifest?.owner?.index ?? 0;
}

function numberIn(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? 0);
}
