// Pods that workloads make have names of their own choosing: none may be another pod's.
import type { PodModel, WorkloadModel } from "../../types.js";
import type { Found } from "../view.js";

/** Reports names that are made twice, at the workload that comes later, and names of Pods that a workload makes too. */
export function podClashes(pods: readonly PodModel[], found: readonly Found[]): void {
  const seen = new Map<string, PodModel>();
  // Written ones first: of the two the workload is what can be renamed without anybody noticing.
  for (const pod of [...pods.filter((p) => p.owner === undefined), ...pods.filter((p) => p.owner !== undefined)]) {
    const { owner } = pod;
    const first = seen.get(pod.name);
    if (first === undefined) seen.set(pod.name, pod);
    if (first === undefined || owner === undefined) continue;
    const at = found.find(({ object }) => object.kind === owner.kind && object.name === owner.name && object.at === pod.at);
    const metadata = at?.reader.object("metadata");
    if (at === undefined || metadata === undefined) continue;
    const { file, line, column } = first.at;
    const other = first.owner === undefined ? "that is written" : `that ${first.owner.kind} "${first.owner.name}" makes`;
    const problem = `makes a pod "${pod.name}", as is the name of one ${other} at ${file}:${line}:${column}`;
    // One of several says it.
    if (!at.report.diagnostics.some((d) => d.code === "duplicate-pod"))
      at.report.error("duplicate-pod", metadata.place("name"), metadata.pathOf("name"), problem, "rename one of the two");
  }
}

/** The workload without surge pods whose names are taken. */
export function withFreeSurge(workload: WorkloadModel, pods: readonly PodModel[]): WorkloadModel {
  const taken = workload.surge.find((s) => pods.some((p) => p.name === s.name));
  if (taken === undefined) return workload;
  return { ...workload, surge: [], rollout: { ...workload.rollout, noSurge: `the name "${taken.name}" is taken` } };
}
