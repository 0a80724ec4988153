// A change set for what acts by itself (watch, later sync and update): nothing that a person stopped is started.
import type { Installed, ManifestPod, UnitState } from "../base/installed.js";
import { isFinished, parseJobState } from "../base/job.js";
import { isServiceKey } from "../base/service.js";
import { sameEntry } from "./manifest.js";
import type { ChangeSet, PodChange, UnitChange } from "./types.js";
import { isActive } from "./unit.js";
import { changesNothing } from "./without.js";

/**
 * Takes the starts out of a change set: a pod that is installed and not active gets its new files but no job, and in an
 * active pod a container that was stopped stays so (DESIGN.md, invariant 10). Pods that are new, or whose first apply was
 * killed, are untouched: nobody has stopped them.
 */
export function withoutStarts(changes: ChangeSet, installed: Installed): ChangeSet {
  const pods = changes.pods.map((pod) => {
    const before = installed.manifest.pods[pod.name];
    return before === undefined || before.fresh === true || pod.manifest === undefined ? pod : quiet(pod, before, installed);
  });
  const passive = { ...changes, pods };
  return { ...passive, empty: changes.empty || changesNothing(passive, installed) };
}

/** A Job that is over, and is another now: nobody has stopped it. */
function endedJob({ job }: ManifestPod, change: PodChange, installed: Installed): boolean {
  const state = job === undefined ? undefined : parseJobState(installed.files.get(job.state));
  return (isFinished(state) || state?.phase === "expired") && state?.run === job?.run && change.units.some((u) => u.renewed === true);
}

/** One pod without the starts; `why` is said of each. */
export function quiet(pod: PodChange, before: ManifestPod, installed: Installed, why = "stopped by hand: not started"): PodChange {
  const runs =
    isServiceKey(pod.name) ||
    (pod.manifest?.cron !== undefined && before.enabled.some((timer) => isActive(installed.units.get(timer)))) ||
    endedJob(before, pod, installed) ||
    ["active", "activating", "reloading"].includes(installed.units.get(`pod-${pod.name}.service`)?.activeState ?? "");
  const stopped = (u: UnitChange): boolean => {
    if (!runs) return u.verdict === "start" || u.verdict === "restart" || u.verdict === "create";
    if (u.role === "job") return u.verdict === "start" && u.renewed !== true;
    return u.verdict === "start" && !endedByItself(u, installed.units.get(u.unit)) && !neverRan(before, installed.units.get(u.unit));
  };
  const units = pod.units.map((u) => (stopped(u) ? { ...u, verdict: "unchanged" as const, reasons: [...u.reasons, why] } : u));
  const still = units.every((u) => u.verdict === "unchanged") && pod.files.length === 0;
  const same = still && (pod.verdict === "started" || sameEntry(before, pod.manifest ?? before));
  return { ...pod, units, verdict: same ? "unchanged" : pod.verdict };
}

/**
 * It failed, and what would be started now is another content: the mended version is to be tried. A container that is
 * stopped by podgen is not called failed afterwards; one that systemctl stopped and that ignored SIGTERM has a time-out.
 */
function endedByItself(unit: UnitChange, state: UnitState | undefined): boolean {
  return unit.renewed === true && state?.activeState === "failed" && state.service?.result !== "timeout";
}

/** A container that an apply brought into a running pod and, being killed, did not come to start. */
function neverRan(before: ManifestPod, state: UnitState | undefined): boolean {
  return before.unfinished === true && state?.invocation === undefined;
}
