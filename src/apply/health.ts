// Is a pod as wanted? Waits for its containers, tells a crash loop from a slow start, and explains what went wrong.
import type { UnitState } from "../base/installed.js";
import { signalName } from "../base/signal.js";
import type { PodChange, UnitChange } from "../diff/types.js";
import type { ApplyPorts, ContainerFailure } from "./types.js";

/** A container counts as up when it has stayed up for so long, milliseconds: most broken configurations end sooner. */
const SETTLE_MS = 100;
/**
 * How many ends in a row make a crash loop. The first restart is at once and the next comes after a back-off of 10 s,
 * so a container that needs a slow sibling (a database that initialises) has that long.
 */
const CRASHES = 3;
/** podrt's own exit codes: no retry can help against these (native/README.md). */
const HOPELESS = new Set([125, 126, 127]);

type Verdict = { readonly state: "up" | "pending" } | { readonly state: "down"; readonly reason: string };

/** Judges one container or init unit by the manager's truth; pure. `now` in microseconds since the epoch. */
export function judge(unit: UnitState, init: boolean, now: number): Verdict {
  const service = unit.service;
  if (service === undefined || unit.loadState === "not-found") return { state: "down", reason: "unit is not loaded" };
  if (unit.activeState === "active") {
    if (init || unit.subState === "exited") return { state: "up" };
    return now - service.activeEnter >= SETTLE_MS * 1000 ? { state: "up" } : { state: "pending" };
  }
  const ended = service.execMainStatus !== 0 || service.result !== "success";
  if (unit.activeState === "failed") return { state: "down", reason: endReason(unit) };
  if (unit.activeState === "inactive") {
    if (service.activeEnter > 0 && !ended) return { state: "up" };
    return ended ? { state: "down", reason: endReason(unit) } : { state: "pending" };
  }
  if (ended && service.restarts >= 1 && HOPELESS.has(service.execMainStatus) && service.execMainCode === 1)
    return { state: "down", reason: endReason(unit) };
  if (service.restarts >= CRASHES) return { state: "down", reason: `${endReason(unit)}, ${service.restarts} times in a row` };
  return { state: "pending" };
}

/** How the main process ended, in words; waitid's codes: 1 exited, 2 killed, 3 dumped. */
export function endReason(unit: UnitState): string {
  const service = unit.service;
  if (service === undefined) return "unit is not loaded";
  if (service.result === "oom-kill") return "killed: out of memory";
  if (service.execMainCode === 2 || service.execMainCode === 3)
    return `killed by signal ${service.execMainStatus} (${signalName(service.execMainStatus)})`;
  if (service.execMainCode === 1) return `exited with status ${service.execMainStatus}`;
  return service.result === "success" ? "ended" : `failed (${service.result})`;
}

function containersOf(change: PodChange): UnitChange[] {
  return change.units.filter((u) => (u.role === "container" || u.role === "init") && u.verdict !== "remove");
}

/**
 * Waits until every container of the pod is up, one is down for good, or the deadline (milliseconds since the epoch)
 * passes. Reads the truth of all units at each look; looks are hints from the clock, bounded by the deadline.
 */
export async function waitHealthy(ports: ApplyPorts, change: PodChange, deadline: number): Promise<ContainerFailure[]> {
  const units = containersOf(change);
  const names = units.map((u) => u.unit);
  for (let pause = 10; ; pause = Math.min(pause * 2, 250)) {
    const states = new Map((await ports.manager.list(names)).map((s) => [s.name, s]));
    const now = ports.clock.now();
    const judged = units.map((u) => {
      const state = states.get(u.unit);
      return { unit: u, state, verdict: state === undefined ? pendingVerdict : judge(state, u.role === "init", now * 1000) };
    });
    const down = judged.filter((j) => j.verdict.state === "down");
    if (down.length > 0) return Promise.all(down.map((j) => explain(ports, change.name, j.unit, j.state, reasonOf(j.verdict))));
    const waiting = judged.filter((j) => j.verdict.state === "pending");
    if (waiting.length === 0) return [];
    if (now >= deadline)
      return Promise.all(waiting.map((j) => explain(ports, change.name, j.unit, j.state, "did not become ready in time")));
    await ports.clock.sleep(Math.max(1, Math.min(pause, deadline - now)));
  }
}

const pendingVerdict: Verdict = { state: "pending" };

function reasonOf(verdict: Verdict): string {
  return verdict.state === "down" ? verdict.reason : "pending";
}

/** A failure with the container's last lines from the journal and the next step. */
async function explain(
  ports: ApplyPorts,
  pod: string,
  unit: UnitChange,
  state: UnitState | undefined,
  reason: string,
): Promise<ContainerFailure> {
  const lastLines: string[] = [];
  try {
    for await (const line of ports.journal.read({ units: [unit.unit], lines: 10 })) lastLines.push(line.message);
  } catch (error) {
    lastLines.push(`(the journal cannot be read: ${error instanceof Error ? error.message : String(error)})`);
  }
  const service = state?.service;
  const signalled = service !== undefined && (service.execMainCode === 2 || service.execMainCode === 3);
  return {
    pod,
    container: unit.container ?? unit.unit,
    unit: unit.unit,
    reason,
    ...(service !== undefined && service.execMainCode === 1 ? { exitCode: service.execMainStatus } : {}),
    ...(signalled && service !== undefined ? { signal: signalName(service.execMainStatus) } : {}),
    restarts: service?.restarts ?? 0,
    lastLines,
    hint: `journalctl --user-unit ${unit.unit}`,
  };
}
