// In which order a pod's containers start: init containers and sidecars one after the other, then all others.
import type { PlannedContainer, PodPlan } from "./types.js";

/** What has to be there before a container starts. */
export interface Before {
  /** All of them: no start before theirs, no stop after. */
  readonly all: readonly PlannedContainer[];
  /** The last that must have succeeded, which implies those before it. */
  readonly init: PlannedContainer | undefined;
  /** Sidecars since then, which must have been started: the init container has waited for those before it. */
  readonly sidecars: readonly PlannedContainer[];
}

export function before(pod: PodPlan, container: PlannedContainer): Before {
  const first = pod.containers.filter((c) => c.init || c.sidecar);
  const index = first.indexOf(container);
  const all = index < 0 ? first : first.slice(0, index);
  const last = all.findLastIndex((c) => c.init);
  return { all, init: all[last], sidecars: all.slice(last + 1) };
}

/** What may start when an init container has succeeded: all up to the next one, or to the end. */
export function follows(pod: PodPlan, container: PlannedContainer): readonly PlannedContainer[] {
  const rest = pod.containers.slice(pod.containers.indexOf(container) + 1);
  const next = rest.findIndex((c) => c.init);
  return next < 0 ? rest : rest.slice(0, next + 1);
}

/** Containers that are neither init containers nor sidecars: what the pod is for. */
export function mains(pod: PodPlan): readonly PlannedContainer[] {
  return pod.containers.filter((c) => !c.init && !c.sidecar);
}

/** A pod that is done when its containers are. */
export function ends(pod: PodPlan): boolean {
  return mains(pod).every((c) => c.restartPolicy !== "Always");
}
