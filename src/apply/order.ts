// The order of pods in a transaction: what waits for another comes after it, and goes before it.
import { isCronKey } from "../base/cron.js";
import type { Manifest } from "../base/installed.js";
import { isJobKey } from "../base/job.js";
import { inOrder, type PodEdge } from "../base/pod-order.js";
import type { PodChange } from "../diff/types.js";
import type { ContainerFailure, PodReport } from "./types.js";

/** What is to be deleted, sorted so that those that wait for others go first, and before all of them who starts pods: CronJobs, then Jobs. */
export function leavingOrder(deleted: readonly PodChange[], manifest: Manifest): PodChange[] {
  const edges = new Map(Object.values(manifest.pods).map((pod) => [pod.name, pod.after ?? []]));
  const names = inOrder(
    deleted.map((p) => p.name),
    edges,
  );
  const sorted = names.reverse().flatMap((name) => deleted.find((p) => p.name === name) ?? []);
  const rank = ({ name }: PodChange): number => (isCronKey(name) ? 0 : isJobKey(name) ? 1 : 2);
  return sorted.sort((a, b) => rank(a) - rank(b));
}

/**
 * Brings all up, each as soon as those that it waits for have been; `bring` is told of the first of them that failed. Circles are
 * none: the planner has refused them.
 */
export async function inTheirOrder(
  kept: readonly PodChange[],
  bring: (change: PodChange, failed: PodEdge | undefined) => Promise<PodReport>,
): Promise<Map<string, PodReport>> {
  const changes = new Map(kept.map((change) => [change.name, change]));
  const begun = new Map<string, Promise<PodReport>>();
  const begin = (change: PodChange): Promise<PodReport> => {
    const known = begun.get(change.name);
    if (known !== undefined) return known;
    const before = (change.manifest?.after ?? []).flatMap((edge) => {
      const other = changes.get(edge.pod);
      return other === undefined ? [] : [{ edge, report: begin(other) }];
    });
    const report = (async (): Promise<PodReport> => {
      const done = await Promise.all(before.map(async ({ edge, report: of }) => ({ edge, report: await of })));
      return bring(change, done.find((d) => d.report.outcome === "failed")?.edge);
    })();
    begun.set(change.name, report);
    return report;
  };
  const reports = await Promise.all(kept.map(begin));
  return new Map(reports.map((report) => [report.name, report]));
}

/** Why a pod was not started: what it waits for failed in the same apply. */
export function notStarted(pod: string, edge: PodEdge): ContainerFailure {
  const unit = `pod-${pod}.service`;
  const reason = `not started: it waits for pod ${edge.pod} to be ${edge.condition}, which failed`;
  return { pod, unit, reason, restarts: 0, lastLines: [], hint: `mend pod ${edge.pod} first` };
}
