// The unit half of a transaction: start, restart and stop what the change set names, for one pod.
import type { PodChange, UnitChange } from "../diff/types.js";
import type { ApplyPorts } from "./types.js";

const podUnit = (name: string): string => `pod-${name}.service`;

/** Stops units that are no longer wanted; returns what was done. */
export async function stopUnits(ports: ApplyPorts, units: readonly string[], timeout: number): Promise<string[]> {
  await Promise.all(
    units.map(async (unit) => {
      await ports.manager.stop(unit, timeout);
      await ports.manager.resetFailed(unit);
    }),
  );
  return units.map((u) => `${u} stopped`);
}

/** Not what starts with its first connection, or with what lies in it, and not what systemd restarts by itself. */
function isOurs(unit: UnitChange): boolean {
  return unit.role !== "slice" && unit.along === undefined && (unit.role !== "forward" || unit.verdict === "restart");
}

/** Units of a change with one of these verdicts, in the plan's order. */
export function withVerdict(change: PodChange, ...verdicts: UnitChange["verdict"][]): UnitChange[] {
  return change.units.filter((u) => verdicts.includes(u.verdict));
}

/**
 * Brings a pod's units to what the change set says. Jobs are queued together; systemd orders them. The pod unit's own
 * start ends only when all are ready, so its job is returned to be awaited beside the judging of health.
 */
export async function actOnUnits(
  ports: ApplyPorts,
  change: PodChange,
  timeout: number,
): Promise<{ actions: string[]; job: Promise<string> }> {
  const pod = podUnit(change.name);
  const actions: string[] = [];
  const acted = withVerdict(change, "create", "start", "restart").filter(isOurs);
  for (const u of acted) if (u.container !== undefined) await ports.runtime.clearBackoff(change.name, u.container);
  for (const u of acted) if (u.verdict !== "create") await ports.manager.resetFailed(u.unit);

  const restarts = acted.filter((u) => u.verdict === "restart" && u.unit !== pod);
  const jobs = restarts.map((u) => ports.manager.restart(u.unit, timeout));
  actions.push(...restarts.map((u) => `${u.unit} restarted`));

  const whole = acted.find((u) => u.unit === pod);
  if (whole === undefined) {
    const starts = acted.filter((u) => u.verdict !== "restart");
    jobs.push(...starts.map((u) => ports.manager.start(u.unit, timeout)));
    actions.push(...starts.map((u) => `${u.unit} started`));
  } else {
    jobs.push(whole.verdict === "restart" ? ports.manager.restart(pod, timeout) : ports.manager.start(pod, timeout));
    actions.push(`${pod} ${whole.verdict === "restart" ? "restarted" : "started"}`);
  }
  const job = Promise.all(jobs).then((results) => results.find((r) => r !== "done") ?? "done");
  // Health may fail first and nobody awaits the job then: its rejection must not be an unhandled one.
  job.catch(() => undefined);
  return { actions, job };
}
