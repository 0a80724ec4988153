// A change set for what acts by itself (watch, later sync and update): nothing that a person stopped is started.
import type { Installed } from "../base/installed.js";
import type { ChangeSet, PodChange } from "./types.js";

/**
 * Takes the starts out of a change set: a pod that is installed and not active gets its new files but no job, and in an
 * active pod a container that was stopped stays so (DESIGN.md, invariant 10). New pods are untouched.
 */
export function withoutStarts(changes: ChangeSet, installed: Installed): ChangeSet {
  const pods = changes.pods.map((pod) => {
    if (installed.manifest.pods[pod.name] === undefined || pod.manifest === undefined) return pod;
    const state = installed.units.get(`pod-${pod.name}.service`)?.activeState;
    const runs = state === "active" || state === "activating" || state === "reloading";
    return quiet(pod, runs);
  });
  const files = changes.shared.length + pods.reduce((n, p) => n + p.files.length, 0);
  const acts = pods.some((p) => p.units.some((u) => u.verdict !== "unchanged"));
  return { ...changes, pods, empty: changes.empty || (files === 0 && !acts && changes.resourced.length === 0) };
}

function quiet(pod: PodChange, runs: boolean): PodChange {
  const units = pod.units.map((u) => {
    const starts = u.verdict === "start" || (!runs && (u.verdict === "restart" || u.verdict === "create"));
    return starts ? { ...u, verdict: "unchanged" as const, reasons: [...u.reasons, "stopped by hand: not started"] } : u;
  });
  const still = units.every((u) => u.verdict === "unchanged") && pod.files.length === 0;
  return { ...pod, units, verdict: still ? "unchanged" : pod.verdict === "started" ? "unchanged" : pod.verdict };
}
