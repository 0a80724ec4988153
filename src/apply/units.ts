// The unit half of a transaction: start, restart and stop what the change set names, for one pod.
import type { PodChange, UnitChange } from "../diff/types.js";
import { HostError } from "../ports/host.js";
import type { Job } from "../ports/manager.js";
import type { ApplyPorts, ContainerFailure } from "./types.js";

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

/**
 * Containers whose probes go and who stay: nobody says any more that they are not ready. Of the mark that probes take along with them
 * the container's next start would be the next chance. What is not known to run gets none.
 */
export async function leaveReady(ports: ApplyPorts, change: PodChange, stopped: readonly UnitChange[]): Promise<void> {
  const gone = new Set(stopped.map((u) => u.unit));
  for (const { unit, role } of stopped) {
    const container = probedContainer(unit);
    if (role !== "probe" || container === undefined || gone.has(unit.replace("__probe", ""))) continue;
    if ((await ports.runtime.state(change.name, container))?.alive === true) await ports.runtime.markReady(change.name, container);
  }
}

/** `app` of `pod-web_app__probe.service`. */
function probedContainer(unit: string): string | undefined {
  return /_([^_]+)__probe\.service$/.exec(unit)?.[1];
}

const WITH_OTHERS: ReadonlySet<string> = new Set(["slice", "deadline", "cron"]);

const BY_CONNECTION: ReadonlySet<string> = new Set(["forward", "balance"]);

/** Not what starts with its first connection, or with what lies in it, and not what systemd restarts by itself. */
function isOurs(unit: UnitChange): boolean {
  return !WITH_OTHERS.has(unit.role) && unit.along === undefined && (!BY_CONNECTION.has(unit.role) || unit.verdict === "restart");
}

/** Units of a change with one of these verdicts, in the plan's order. */
export function withVerdict(change: PodChange, ...verdicts: UnitChange["verdict"][]): UnitChange[] {
  return change.units.filter((u) => verdicts.includes(u.verdict));
}

/** What was done to a pod's units, and what of it the manager would not do. */
interface Acted {
  readonly actions: readonly string[];
  /** Ends with the last job: `done`, or how one ended that was not done. */
  readonly job: Promise<string>;
  readonly refused: readonly ContainerFailure[];
}

/**
 * Brings a pod's units to what the change set says; ends when all jobs are queued. They are queued together; systemd orders
 * them. The pod unit's own start ends only when all are ready, so its job is returned to be awaited beside the judging of health.
 */
export async function actOnUnits(ports: ApplyPorts, change: PodChange, timeout: number): Promise<Acted> {
  const pod = podUnit(change.name);
  const acted = withVerdict(change, "create", "start", "restart").filter(isOurs);
  for (const u of acted) if (u.container !== undefined) await ports.runtime.clearBackoff(change.name, u.container);
  for (const u of acted) if (u.verdict !== "create") await ports.manager.resetFailed(u.unit);

  const whole = acted.find((u) => u.unit === pod);
  const restarts = acted.filter((u) => u.verdict === "restart" && u !== whole);
  const wanted = [...restarts, ...(whole === undefined ? acted.filter((u) => u.verdict !== "restart") : [whole])];
  const queued = await Promise.all(wanted.map(async (unit) => ({ unit, job: await queue(ports, change.name, unit, timeout) })));
  const taken = queued.flatMap(({ unit, job }) => ("result" in job ? [{ unit, result: job.result }] : []));
  const job = Promise.all(taken.map((t) => t.result)).then((results) => results.find((r) => r !== "done") ?? "done");
  // Health may fail first and nobody awaits the job then: its rejection must not be an unhandled one.
  job.catch(() => undefined);
  return {
    actions: taken.map(({ unit }) => `${unit.unit} ${unit.verdict === "restart" ? "restarted" : "started"}`),
    job,
    refused: queued.flatMap((q) => ("result" in q.job ? [] : [q.job])),
  };
}

/** Exchanges the files of running containers, one after the other; ends with what was done and what could not be. */
export async function refreshFiles(ports: ApplyPorts, change: PodChange): Promise<{ actions: string[]; failures: ContainerFailure[] }> {
  const actions: string[] = [];
  const failures: ContainerFailure[] = [];
  for (const { unit, container } of change.units.filter((u) => u.refresh)) {
    if (container === undefined) continue;
    try {
      await ports.runtime.refresh(change.name, container);
      actions.push(`${unit} files updated`);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const hint = `podgen restart ${change.name}/${container}`;
      failures.push({ pod: change.name, container, unit, reason: error.message, restarts: 0, lastLines: [], hint });
    }
  }
  return { actions, failures };
}

/** A start or a restart; a refusal is the pod's failure, while a bus that is gone is everybody's. */
async function queue(ports: ApplyPorts, pod: string, unit: UnitChange, timeout: number): Promise<Job | ContainerFailure> {
  try {
    return await ports.manager.queue(unit.verdict === "restart" ? "restart" : "start", unit.unit, timeout);
  } catch (error) {
    if (!(error instanceof HostError) || error.code === "bus-closed") throw error;
    return unusable(pod, unit.unit, error.message);
  }
}

/** The failure of a unit that the manager does not start at all; `reason` is its own and names the unit. */
export function unusable(pod: string, unit: string, reason: string): ContainerFailure {
  return { pod, unit, reason, restarts: 0, lastLines: [], hint: `systemctl --user status ${unit}` };
}
