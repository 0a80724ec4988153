// Surge pods: pods of the new template that stand in while others are replaced, and go when that is done.
import type { Installed } from "../base/installed.js";
import { jobKey } from "../base/job.js";
import { ownerName } from "../base/owner.js";
import type { Rendered, RenderedPod, RenderedWorkload } from "../render/types.js";
import { manifestPod } from "./manifest.js";
import { changePod, deletePod } from "./pod.js";
import type { SurgePod } from "./types.js";

export interface Surge {
  readonly pods: readonly SurgePod[];
  /** Why there are none though they are needed. */
  readonly none?: string;
}

/** As many as may be and are of use for so many `updates`; none where pods may be missing meanwhile. */
export function surgeOf(workload: RenderedWorkload, updates: number, rendered: Rendered, installed: Installed): Surge {
  const { rollout, surge } = workload;
  if (rollout.maxUnavailable > 0 || rollout.maxSurge === 0) return { pods: [] };
  if (rollout.noSurge !== undefined) return { pods: [], none: rollout.noSurge };
  const wanted = surge.slice(0, updates);
  const taken = wanted.find((pod) => installed.manifest.pods[pod.name] !== undefined || rendered.pods.some((p) => p.name === pod.name));
  if (taken !== undefined) return { pods: [], none: `there is a pod "${taken.name}" already` };
  const foreign = wanted.flatMap((pod) => pod.units).find((unit) => installed.foreign.has(unit.name));
  if (foreign !== undefined) return { pods: [], none: `there is a unit ${foreign.name} already, and it is not podgen's` };
  const others = [...rendered.pods, ...Object.values(installed.manifest.pods)];
  const kept = new Set(others.flatMap((pod) => pod.files.map((f) => f.path)));
  return { pods: wanted.map((pod) => passing(pod, kept, installed)) };
}

/** It is gone before any boot: nothing of it is enabled. What it shares with others, secrets say, stays. */
function passing(pod: RenderedPod, kept: ReadonlySet<string>, installed: Installed): SurgePod {
  const change = changePod(pod, installed, kept);
  const manifest = { ...manifestPod(pod), enabled: [] };
  const there = { ...installed, files: new Map(pod.files.map((f) => [f.path, f.bytes])) };
  return { change: { ...change, enable: [], manifest }, removal: deletePod(manifest, there, kept) };
}

/** The names of pods that a workload, or a Job, no longer has, and of a CronJob's runs, of those that `rendered` speaks of: fewer replicas, or an apply that was killed. */
export function scaledDown(rendered: Rendered, installed: Pick<Installed, "manifest">): string[] {
  const jobs = rendered.pods.flatMap((p) => (p.job === undefined ? [] : [jobKey(p.job.name)]));
  const known = new Set([...(rendered.workloads ?? []).map((w) => ownerName(w.rollout)), ...jobs]);
  const wanted = new Set(rendered.pods.map((p) => p.name));
  const crons = new Set(rendered.pods.flatMap((p) => p.cron?.name ?? []));
  // Runs that a CronJob has no room for any more, with their pods.
  const runs = Object.values(installed.manifest.pods).filter(({ name, job }) => crons.has(job?.cron ?? "") && !wanted.has(name));
  for (const { name } of runs) known.add(name);
  const spare = runs.map((run) => run.name);
  const pods = Object.values(installed.manifest.pods).flatMap(({ name, owner }) => {
    return owner !== undefined && known.has(ownerName(owner)) && !wanted.has(name) ? [name] : [];
  });
  return [...spare, ...pods];
}
