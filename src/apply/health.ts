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
/** The command cannot be executed or is not there (native/README.md): no retry helps. */
const HOPELESS = new Set([126, 127]);
/** Between two looks at the units, milliseconds; below systemd's RestartSec= of 100, so that no end is missed. */
const LOOK_MS = 60;

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
  if (ended && HOPELESS.has(service.execMainStatus) && service.execMainCode === 1) return { state: "down", reason: endReason(unit) };
  if (service.restarts >= CRASHES) return { state: "down", reason: endReason(unit) };
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

/** What is remembered of a unit between two looks. */
interface Watched {
  readonly unit: UnitChange;
  /** Its invocation before the job; undefined also when it was never started. Only another one counts, for units that are acted on. */
  readonly before: string | undefined;
  /** How it last ended: gone from the manager's properties as soon as the next start runs. */
  lastEnd?: UnitState;
}

/** A look at a pod's containers that began before its jobs were queued, so that what was there before is not taken for the outcome. */
export class HealthWatch {
  private readonly ports: ApplyPorts;
  private readonly pod: string;
  private readonly watched: readonly Watched[];
  private readonly since: number;

  private constructor(ports: ApplyPorts, pod: string, watched: readonly Watched[], since: number) {
    this.ports = ports;
    this.pod = pod;
    this.watched = watched;
    this.since = since;
  }

  static async begin(ports: ApplyPorts, change: PodChange): Promise<HealthWatch> {
    const units = change.units.filter((u) => (u.role === "container" || u.role === "init") && u.verdict !== "remove");
    const states = new Map((await ports.manager.list(units.map((u) => u.unit))).map((s) => [s.name, s]));
    const watched = units.map((unit) => ({ unit, before: states.get(unit.unit)?.invocation }));
    return new HealthWatch(ports, change.name, watched, ports.clock.now());
  }

  /**
   * Waits until every container of the pod is up, one is down for good, or the deadline (milliseconds since the epoch)
   * passes. Reads the truth of all units at each look; looks are hints from the clock, bounded by the deadline.
   */
  async wait(deadline: number): Promise<ContainerFailure[]> {
    for (let pause = 5; ; pause = Math.min(pause * 2, LOOK_MS)) {
      const states = new Map((await this.ports.manager.list(this.watched.map((w) => w.unit.unit))).map((s) => [s.name, s]));
      const now = this.ports.clock.now();
      const judged = this.watched.map((w) => ({ w, state: states.get(w.unit.unit), verdict: this.look(w, states.get(w.unit.unit), now) }));
      const down = judged.filter((j) => j.verdict.state === "down");
      if (down.length > 0) return Promise.all(down.map((j) => this.explain(j.w, j.state, reasonOf(j.w, j.state))));
      const waiting = judged.filter((j) => j.verdict.state === "pending");
      if (waiting.length === 0) return [];
      if (now >= deadline) return Promise.all(waiting.map((j) => this.explain(j.w, j.state, `${lateReason(j.w)}`)));
      await this.ports.clock.sleep(Math.max(1, Math.min(pause, deadline - now)));
    }
  }

  private look(watched: Watched, state: UnitState | undefined, now: number): Verdict {
    const { unit, before } = watched;
    if (state === undefined) return { state: "pending" };
    const acted = unit.verdict !== "unchanged" && unit.verdict !== "reload";
    if (acted && state.invocation === before) return { state: "pending" };
    if (state.service !== undefined && state.service.execMainCode !== 0) watched.lastEnd = state;
    return judge(state, unit.role === "init", now * 1000);
  }

  /** A failure with the container's last lines since the job was queued, and the next step. */
  private async explain(watched: Watched, state: UnitState | undefined, reason: string): Promise<ContainerFailure> {
    const { unit } = watched;
    const lastLines: string[] = [];
    try {
      const query = { units: [unit.unit], lines: 10, since: `@${Math.floor(this.since / 1000)}` };
      for await (const line of this.ports.journal.read(query)) lastLines.push(line.message);
    } catch (error) {
      lastLines.push(`(the journal cannot be read: ${error instanceof Error ? error.message : String(error)})`);
    }
    const end = watched.lastEnd?.service;
    return {
      pod: this.pod,
      container: unit.container ?? unit.unit,
      unit: unit.unit,
      reason,
      ...(end?.execMainCode === 1 ? { exitCode: end.execMainStatus } : {}),
      ...(end !== undefined && end.execMainCode > 1 ? { signal: signalName(end.execMainStatus) } : {}),
      restarts: state?.service?.restarts ?? 0,
      lastLines,
      hint: `journalctl --user-unit ${unit.unit}`,
    };
  }
}

/** How it ended, with the count when that is why it is given up. */
function reasonOf(watched: Watched, state: UnitState | undefined): string {
  const end = watched.lastEnd === undefined ? "its unit is not loaded" : endReason(watched.lastEnd);
  const restarts = state?.service?.restarts ?? 0;
  return restarts >= CRASHES ? `${end}, ${restarts} times in a row` : end;
}

function lateReason(watched: Watched): string {
  return watched.lastEnd === undefined ? "did not become ready in time" : `${endReason(watched.lastEnd)}; did not become ready in time`;
}
