// The transaction: from a ChangeSet to units that run and are judged healthy, or back to what was there before.
import type { Manifest } from "../base/installed.js";
import { isDriven, jobKey } from "../base/job.js";
import type { PodEdge } from "../base/pod-order.js";
import { surplus } from "../diff/job.js";
import type { ChangeSet, FileChange, PodChange } from "../diff/types.js";
import { abandon } from "./abandon.js";
import { intent, inverse, outcome, removeFiles, tidyFiles, undoneShared, writeFiles, writeManifest } from "./files.js";
import { HealthWatch } from "./health.js";
import { jobFailures } from "./job-health.js";
import { inTheirOrder, leavingOrder, notStarted } from "./order.js";
import { forgetPod, SLICE_DEADLINE_MS, stopPod } from "./pods.js";
import { putBack } from "./put-back.js";
import { type BringUp, Rolling } from "./rollout.js";
import type { ApplyOptions, ApplyPorts, ApplyReport, ContainerFailure, PodReport } from "./types.js";
import { actOnUnits, leaveReady, refreshFiles, stopUnits, withVerdict } from "./units.js";

const PAUSE = "podgen-pause.service";
/** The parent that systemd makes up for all pod-*.slice. */
const PARENT_SLICE = "pod.slice";

/**
 * Carries a change set out. The caller holds the writer's lock, has made the change set under it, and has pulled the
 * images: from here on nothing is fetched. Throws on I/O and D-Bus errors after undoing what it can.
 */
export async function applyChanges(ports: ApplyPorts, changes: ChangeSet, options: ApplyOptions): Promise<ApplyReport> {
  const rollouts = (changes.rollouts ?? []).map((rollout) => new Rolling(ports, rollout, changes.pods, options, bringUpOf(ports)));
  const later = new Set(surplus(changes.pods, options.manifest.pods));
  const spare = changes.pods.filter((p) => p.manifest === undefined && later.has(p.name));
  const rolled = new Set([...rollouts.flatMap((r) => r.pods), ...spare]);
  /** All that is not done step by step, or after all else. */
  const plain = { ...changes, pods: changes.pods.filter((p) => !rolled.has(p)) };
  await writeManifest(ports, options, intent(options.manifest, withSurge(changes)));
  const deleted = plain.pods.filter((p) => p.manifest === undefined);
  const kept = plain.pods.filter((p) => p.manifest !== undefined);
  const reports = new Map<string, PodReport>();
  const bring = (change: PodChange, failed: PodEdge | undefined): Promise<PodReport> => bringUp(ports, change, failed, options);

  try {
    await prepare(ports, plain, options);
  } catch (error) {
    // What is thrown is the first error; one of the undoing would only hide it.
    await abandon(ports, plain, options).catch(() => undefined);
    throw error;
  }
  for (const change of deleted) reports.set(change.name, await forgetPod(ports, change));
  const [brought] = await Promise.all([inTheirOrder(kept, bring), ...rollouts.map((rolling) => rolling.carryOut())]);
  for (const [name, report] of brought) reports.set(name, report);
  await removeShared(
    ports,
    changes.shared.filter((f) => f.kind !== "object"),
    options,
  ); // prettier-ignore

  const broken = rollouts.filter((rolling) => rolling.failed);
  const warnings = changes.pods.some((p) => p.manifest !== undefined) ? await pauseWarnings(ports) : [];
  const failed = kept.filter((change) => reports.get(change.name)?.outcome === "failed");
  const stay = [...spare, ...kept].filter((change) => failsWith(change, failed, options.manifest));
  const failures = new Set([...failed, ...stay, ...broken.flatMap((rolling) => rolling.pods)].map((c) => c.name));
  const after = outcome(options.manifest, changes, failures);
  for (const rolling of broken) await rolling.undo(after);
  for (const rolling of rollouts) for (const [name, report] of rolling.reports) reports.set(name, report);
  for (const change of spare.filter((s) => !failures.has(s.name))) reports.set(change.name, await removeSpare(ports, change, options));
  // A Job's pods go back after it, as they came before it.
  for (const change of kept.filter((c) => stay.includes(c)))
    reports.set(change.name, { name: change.name, outcome: "failed", actions: [], failures: [] });
  for (const change of [...failed, ...kept.filter((c) => stay.includes(c))]) {
    const report = reports.get(change.name);
    if (report !== undefined) reports.set(change.name, await putBack(ports, change, report, after, options));
  }
  // Layers of containers that are no more; a pod that was put back has them all again.
  const changed = changes.pods.filter((p) => p.manifest !== undefined && !failures.has(p.name));
  for (const change of changed) if (change.folders.length > 0) await ports.runtime.removeTrees(change.folders);
  await putBackShared(ports, undoneShared(changes, failures), after, options);
  // Only now it is known that no version that was put back needs them.
  const forgotten = changes.forgotten.filter((key) => after.objects[key] === undefined);
  const places = new Set(forgotten.map((key) => options.manifest.objects[key]?.path));
  await removeFiles(
    ports,
    changes.shared.filter((f) => f.kind === "object" && places.has(f.path)),
    options.roots,
  ); // prettier-ignore
  // Also where it says what was meant to be: that the apply was finished is known only from here on.
  await writeManifest(ports, options, after);
  // Best effort: what is left the next apply that changes something removes, and a prune.
  await ports.images.dropShifted(new Set(Object.values(after.pods).flatMap((p) => p.shifted ?? []))).catch(() => undefined);
  const objects = forgotten.map((name) => ({ name, outcome: "deleted", pods: [] }) as const);
  return { ...summary(changes, reports, options), objects, warnings };
}

/** A Job's pod is nothing without it. */
function failsWith(change: PodChange, failed: readonly PodChange[], manifest: Manifest): boolean {
  const owner = (change.manifest ?? manifest.pods[change.name])?.owner;
  return isDriven(owner) && !failed.includes(change) && failed.some((f) => f.name === jobKey(owner?.name ?? ""));
}

/** One that its Job, which goes on, needs no more. */
async function removeSpare(ports: ApplyPorts, change: PodChange, options: ApplyOptions): Promise<PodReport> {
  await stopPod(ports, change, options);
  await removeFiles(ports, change.files, options.roots);
  await ports.manager.reload();
  return forgetPod(ports, change);
}

/** Surge pods are podgen's as long as they are there. */
function withSurge(changes: ChangeSet): ChangeSet {
  return { ...changes, pods: [...changes.pods, ...(changes.rollouts ?? []).flatMap((r) => r.surge.map((s) => s.change))] };
}

/** Everything up to the first start: what is no longer wanted stops, the files are brought to what they shall be. */
async function prepare(ports: ApplyPorts, changes: ChangeSet, options: ApplyOptions): Promise<void> {
  const deleted = changes.pods.filter((p) => p.manifest === undefined);
  const kept = changes.pods.filter((p) => p.manifest !== undefined);
  await tidyFiles(ports, options);
  for (const change of leavingOrder(deleted, options.manifest)) await stopPod(ports, change, options);
  for (const change of kept)
    await stopUnits(
      ports,
      withVerdict(change, "remove").map((u) => u.unit),
      options.stopTimeout,
    ); // prettier-ignore
  for (const change of kept) await leaveReady(ports, change, withVerdict(change, "remove"));

  await writeFiles(ports, [...changes.shared, ...kept.flatMap((change) => change.files)]);
  for (const change of [...kept, ...deleted]) {
    await ports.manager.disable(change.disable);
    await removeFiles(ports, change.files, options.roots);
  }
  // Before the reload: from systemd 257 on, all units are called outdated (NeedDaemonReload) from an enabling until a reload.
  for (const change of kept) if (change.enable.length > 0) await ports.manager.enable(change.enable);
  if (changes.reload || kept.some((change) => change.enable.length > 0)) await ports.manager.reload();
}

/** The pause process goes with the last pod, after that pod's folders: their owners exist in its user namespace only. */
async function removeShared(ports: ApplyPorts, shared: readonly FileChange[], options: ApplyOptions): Promise<void> {
  const gone = shared.filter((f) => f.action === "remove");
  if (gone.length === 0) return;
  const units = gone.filter((f) => f.kind === "unit").map((f) => f.path.slice(f.path.lastIndexOf("/") + 1));
  await stopUnits(ports, units, options.stopTimeout);
  if (units.length > 0) await ports.manager.stop(PARENT_SLICE, SLICE_DEADLINE_MS);
  await removeFiles(ports, gone, options.roots);
  if (units.length > 0) await ports.manager.reload();
}

/** Undoes what failed pods brought with them; the pause process that this apply started stays while any pod needs it. */
async function putBackShared(ports: ApplyPorts, undone: readonly FileChange[], after: Manifest, options: ApplyOptions): Promise<void> {
  const needed = Object.keys(after.pods).length > 0;
  const back = inverse(undone).filter((f) => !(f.action === "remove" && f.kind === "unit" && needed));
  await writeFiles(ports, back);
  await removeShared(ports, back, options);
  if (back.some((f) => f.kind === "unit" && f.action !== "remove")) await ports.manager.reload();
}

/** The pause process says what it could not do: without subordinate ids, most images fail in ways that do not tell why. */
async function pauseWarnings(ports: ApplyPorts): Promise<string[]> {
  const text = (await ports.manager.get(PAUSE)).service?.statusText ?? "";
  return text === "" ? [] : [text];
}

function bringUpOf(ports: ApplyPorts): BringUp {
  return (change, options) => bringUp(ports, change, undefined, options);
}

/** Starts or restarts what changed and waits until the pod is as wanted. `before`: what it waits for and has failed. */
async function bringUp(ports: ApplyPorts, change: PodChange, before: PodEdge | undefined, options: ApplyOptions): Promise<PodReport> {
  const base = { name: change.name, outcome: change.verdict, failures: [] as ContainerFailure[] };
  const files = await refreshFiles(ports, change);
  if (files.failures.length > 0) return { ...base, outcome: "failed", ...files };
  if (withVerdict(change, "create", "start", "restart").length === 0) return { ...base, actions: files.actions };
  if (before !== undefined) return { ...base, outcome: "failed", actions: [], failures: [notStarted(change.name, before)] };
  const health = await HealthWatch.begin(ports, change);
  const timeout = deadlineOf(change, options);
  const { actions: acted, job, refused } = await actOnUnits(ports, change, timeout);
  const actions = [...files.actions, ...acted];
  if (refused.length > 0) return { ...base, outcome: "failed", actions, failures: refused };
  if (!options.wait) return { ...base, actions };
  const deadline = ports.clock.now() + timeout;
  const failures = [...(await health.wait(deadline, job)), ...(await jobFailures(ports, change, deadline))];
  if (failures.length > 0) return { ...base, outcome: "failed", actions, failures };
  const result = await job;
  if (result === "done") {
    // What restarts along with infra may have been judged before it did so: by now it has been stopped.
    const late = change.units.some((u) => u.verdict === "restart" && u.role !== "container") ? await health.wait(deadline) : [];
    return late.length > 0 ? { ...base, outcome: "failed", actions, failures: late } : { ...base, actions };
  }
  return { ...base, outcome: "failed", actions, failures: [jobFailure(change, result)] };
}

/** Milliseconds until a pod has to be ready. */
export function deadlineOf(change: PodChange, options: ApplyOptions): number {
  return options.timeout + (options.patient ? (change.patience ?? 0) * 1000 : 0);
}

function jobFailure(change: PodChange, result: string): ContainerFailure {
  const unit = `pod-${change.name}.service`;
  return {
    pod: change.name,
    unit,
    reason: `its job ended as "${result}"`,
    restarts: 0,
    lastLines: [],
    hint: `systemctl --user status ${unit}`,
  };
}

function summary(
  changes: ChangeSet,
  reports: ReadonlyMap<string, PodReport>,
  options: ApplyOptions,
): Omit<ApplyReport, "warnings" | "objects"> {
  const pods = changes.pods.flatMap((change) => reports.get(change.name) ?? []);
  const codes = pods.map((pod): ApplyReport["exitCode"] => {
    if (pod.outcome === "rolled-back") return 3;
    if (pod.outcome !== "failed") return 0;
    return options.manifest.pods[pod.name] === undefined ? 1 : 4;
  });
  const exitCode = ([4, 3, 1] as const).find((code) => codes.includes(code)) ?? 0;
  return { pods, changed: !changes.empty, exitCode };
}
