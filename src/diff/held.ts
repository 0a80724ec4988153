// Pods of a workload that stay as they are though their template has changed: paused, OnDelete, below the partition.
import type { Installed } from "../base/installed.js";
import { ownerName, sameOwner } from "../base/owner.js";
import type { RenderedWorkload } from "../render/types.js";
import type { ChangeSet, PodChange } from "./types.js";

export interface Held {
  readonly pods: readonly string[];
  readonly notes: readonly string[];
}

/** Names of the pods that are to be left out of the change set, and why. */
export function held({ rollout }: RenderedWorkload, changes: ChangeSet, installed: Installed): Held {
  const own = changes.pods.filter((p) => p.manifest !== undefined && sameOwner(p.manifest.owner, rollout));
  const there = own.filter((p) => installed.manifest.pods[p.name] !== undefined);
  const outdated = there.filter(replaces).map((p) => p.name);
  const what = ownerName(rollout);
  if (rollout.paused) {
    const fresh = own.filter((p) => !there.includes(p)).map((p) => p.name);
    // New pods would be of the new template beside old ones.
    const waiting = outdated.length > 0 || there.length === 0 ? fresh : [];
    const old = outdated.length === 0 ? [] : [`${what} is paused: ${list(outdated)} as before`];
    const none = waiting.length === 0 ? [] : [`${what} is paused: ${waiting.join(", ")} not made, which would be of the new template`];
    return { pods: [...outdated, ...waiting], notes: [...old, ...none] };
  }
  if (rollout.how === "keep") return keep(outdated, what, rollout.kept ?? "");
  const below = outdated.filter((name) => (installed.manifest.pods[name]?.owner?.index ?? 0) < rollout.partition);
  return keep(below, what, `partition is ${rollout.partition}`);
}

function keep(pods: readonly string[], what: string, why: string): Held {
  return { pods, notes: pods.length === 0 ? [] : [`${what}: ${list(pods)} as before: ${why}`] };
}

function list(pods: readonly string[]): string {
  return `${pods.join(", ")} ${pods.length === 1 ? "stays" : "stay"}`;
}

/** Another content would run than runs, or ran last: what merely does not run is started. */
function replaces(pod: PodChange): boolean {
  return pod.units.some((u) => u.verdict === "restart" || u.verdict === "create" || u.verdict === "remove" || u.renewed === true);
}
