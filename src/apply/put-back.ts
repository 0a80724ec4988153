// A pod whose change failed is brought back to what it was.
import type { Manifest, UnitState } from "../base/installed.js";
import { isDriven } from "../base/job.js";
import type { FileChange, PodChange } from "../diff/types.js";
import { removeFiles, undonePod, writeFiles } from "./files.js";
import { HealthWatch } from "./health.js";
import { forgetPod, stopPod } from "./pods.js";
import type { ApplyOptions, ApplyPorts, PodReport } from "./types.js";
import { actOnUnits, leaveReady, refreshFiles, stopUnits, withVerdict } from "./units.js";

/**
 * Undoes one pod's change: the bytes of before, the units of before; a pod that was not there before goes again. `after`:
 * what podgen owns when all is done.
 */
export async function putBack(
  ports: ApplyPorts,
  change: PodChange,
  report: PodReport,
  after: Manifest,
  options: ApplyOptions,
): Promise<PodReport> {
  const created = withVerdict(change, "create");
  const isNew = options.manifest.pods[change.name] === undefined;
  if (isNew) await stopPod(ports, change, options);
  else {
    await stopUnits(
      ports,
      created.map((u) => u.unit),
      options.stopTimeout,
    ); // prettier-ignore
    await leaveReady(ports, change, created);
  }
  // A controller would write on in what is put back.
  if (!isNew && change.manifest?.job !== undefined) await stopPod(ports, change, options);
  const back = undonePod(change, after);
  await writeFiles(ports, back);
  if (!isNew) for (const { path, bytes, mode } of change.kept ?? []) await ports.files.write(path, bytes, mode);
  if (isNew) await ports.manager.disable(change.enable);
  else await ports.manager.disable(change.enable.filter((unit) => options.manifest.pods[change.name]?.enabled.includes(unit) !== true));
  await removeFiles(ports, isNew ? [...back, ...memoryOf(change)] : back, options.roots);
  if (!isNew && change.disable.length > 0) await ports.manager.enable(change.disable);
  await ports.manager.reload();
  if (isNew) {
    await forgetPod(ports, { ...change, folders: change.manifest?.folders ?? [] });
    return report;
  }
  const undo: PodChange = { ...change, units: await undoneUnits(ports, change) };
  const health = await HealthWatch.begin(ports, undo);
  const { actions, job, refused } = await actOnUnits(ports, undo, options.timeout);
  // By now the bundles are the old ones.
  const files = await refreshFiles(ports, change);
  // Of how long the version of before may take nothing is known here but what this one may.
  const timeout = options.timeout + (options.patient ? (change.patience ?? 0) * 1000 : 0);
  const waited = refused.length > 0 ? refused : await health.wait(ports.clock.now() + timeout, job);
  const still = [...files.failures, ...waited];
  // A unit that cannot be used in either version is told of once.
  const said = new Set(report.failures.filter((f) => f.container === undefined).map((f) => `${f.unit} ${f.reason}`));
  return {
    ...report,
    outcome: still.length === 0 ? "rolled-back" : "failed",
    actions: [...report.actions, ...actions, ...files.actions],
    failures: [...report.failures, ...still.filter((f) => !said.has(`${f.unit} ${f.reason}`))],
  };
}

/** What a Job's controller has written meanwhile. */
function memoryOf({ manifest }: PodChange): FileChange[] {
  const job = manifest?.job;
  return job === undefined ? [] : [{ path: job.state, action: "remove", kind: "data", secret: false, mode: 0o600 }];
}

/**
 * What was acted on runs the old bytes again; what was removed comes back; what was created is gone; what was left alone
 * still is, unless the failure took it along.
 */
async function undoneUnits(ports: ApplyPorts, change: PodChange): Promise<PodChange["units"]> {
  const units = change.units.filter((u) => u.verdict !== "create");
  // Its controller's to start, and that goes back beside it.
  if (isDriven(change.manifest?.owner)) return units.filter((u) => u.verdict !== "remove").map((u) => ({ ...u, verdict: "unchanged" }));
  const states = new Map((await ports.manager.list(units.map((u) => u.unit))).map((s) => [s.name, s]));
  return units.map((u) => {
    const state = states.get(u.unit);
    if (u.verdict === "restart") return u;
    if (!isRunning(state)) return u.verdict === "unchanged" && hasEnded(state) ? u : { ...u, verdict: "start" };
    const renewed = u.verdict === "start" && u.container !== undefined && u.role !== "infra";
    return { ...u, verdict: renewed ? "restart" : "unchanged" };
  });
}

function isRunning(unit: UnitState | undefined): boolean {
  return unit !== undefined && ["active", "activating", "reloading"].includes(unit.activeState);
}

/** By itself and with success (waitid's CLD_EXITED is 1): a container that has done its work is not made to do it again. */
function hasEnded(unit: UnitState | undefined): boolean {
  return unit?.activeState === "inactive" && unit.service?.result === "success" && unit.service.execMainCode === 1;
}
