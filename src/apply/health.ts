// Is a pod as wanted? Waits for its containers, tells a crash loop from a slow start, and explains what went wrong.
import type { UnitState } from "../base/installed.js";
import { signalName } from "../base/signal.js";
import type { PodChange, UnitChange } from "../diff/types.js";
import type { ApplyPorts, ContainerFailure } from "./types.js";

/** A container counts as up when it has stayed up for so long, milliseconds: most broken configurations end sooner. */
const SETTLE_MS = 50;
/**
 * How many ends in a row make a crash loop. The first restart is at once and the next comes after a back-off of 10 s,
 * so a container that needs a slow sibling (a database that initialises) has that long.
 */
const CRASHES = 3;
/** The command cannot be executed or is not there (native/README.md): no retry helps. */
const HOPELESS = new Set([126, 127]);
/** The journal gets a container's last lines a moment after the manager has seen its end: so often and so long it is asked, milliseconds. */
const JOURNAL_TRIES = 5;
const JOURNAL_PAUSE_MS = 100;
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

/** Judges the socket of a published port. */
export function judgeSocket(unit: UnitState): Verdict {
  if (unit.loadState === "not-found") return { state: "down", reason: "unit is not loaded" };
  if (unit.activeState === "failed") return { state: "down", reason: socketReason(unit.name) };
  return { state: unit.activeState === "active" ? "up" : "pending" };
}

/** `pod-web__127.0.0.1-8080-tcp.socket` -> address, port, protocol (plan/names.ts). */
const SOCKET = /__(?:(.+)-)?(\d+)-(tcp|udp)\.socket$/;

function socketReason(unit: string): string {
  const [, address, port = "", protocol = ""] = SOCKET.exec(unit) ?? [];
  const on = address === undefined ? "" : ` on ${address.replace(/-/g, ":")}`;
  return `host port ${port}/${protocol.toUpperCase()}${on} cannot be opened; another program may listen on it`;
}

function socketHint(unit: string): string {
  const [, , port = "", protocol] = SOCKET.exec(unit) ?? [];
  return `ss -H${protocol === "udp" ? "lunp" : "ltnp"} 'sport = :${port}'; journalctl --user --unit ${unit}`;
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
  /** Its invocation before the job; undefined also when it was never started. */
  readonly before: string | undefined;
  /**
   * Only another invocation counts: it is acted on, or restarts along with one that is. What systemd kills on the way, because
   * it does not hear SIGTERM, is failed for a moment.
   */
  readonly renewed: boolean;
  /** How it last ended: gone from the manager's properties as soon as the next start runs. */
  lastEnd?: UnitState;
}

const JUDGED: ReadonlySet<string> = new Set(["infra", "container", "init", "socket"]);

/** A look at a pod's containers and ports that began before its jobs were queued, so that what was there before is not taken for the outcome. */
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
    const units = change.units.filter((u) => JUDGED.has(u.role) && u.verdict !== "remove");
    const states = new Map((await ports.manager.list(units.map((u) => u.unit))).map((s) => [s.name, s]));
    const watched = units.map((unit) => {
      const renewed = unit.verdict !== "unchanged" && unit.verdict !== "reload";
      return { unit, before: states.get(unit.unit)?.invocation, renewed };
    });
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
    const { unit, before, renewed } = watched;
    if (state === undefined) return { state: "pending" };
    if (renewed && state.invocation === before) return { state: "pending" };
    if (unit.role === "socket") return judgeSocket(state);
    if (state.service !== undefined && state.service.execMainCode !== 0) watched.lastEnd = state;
    return judge(state, unit.role === "init", now * 1000);
  }

  /** A failure with the container's last lines since the job was queued, and the next step. */
  private async explain(watched: Watched, state: UnitState | undefined, reason: string): Promise<ContainerFailure> {
    const { unit } = watched;
    const base = { pod: this.pod, unit: unit.unit, reason, restarts: state?.service?.restarts ?? 0 };
    if (unit.role === "socket") return { ...base, lastLines: [], hint: socketHint(unit.unit) };
    const end = watched.lastEnd?.service;
    return {
      ...base,
      container: unit.container ?? unit.unit,
      ...(end?.execMainCode === 1 ? { exitCode: end.execMainStatus } : {}),
      ...(end !== undefined && end.execMainCode > 1 ? { signal: signalName(end.execMainStatus) } : {}),
      lastLines: await this.lastLines(unit.unit),
      hint: `journalctl --user-unit ${unit.unit}`,
    };
  }

  /** Read until two reads agree and have something; then, or when the patience is over, the last read counts. */
  private async lastLines(unit: string): Promise<readonly string[]> {
    let before: string[] = [];
    for (let tries = 1; ; tries++) {
      const lines: string[] = [];
      try {
        const query = { units: [unit], lines: 10, since: `@${Math.floor(this.since / 1000)}` };
        for await (const line of this.ports.journal.read(query)) lines.push(line.message);
      } catch (error) {
        return [`(the journal cannot be read: ${error instanceof Error ? error.message : String(error)})`];
      }
      if (tries >= JOURNAL_TRIES || (lines.length > 0 && lines.join("\n") === before.join("\n"))) return lines;
      before = lines;
      await this.ports.clock.sleep(JOURNAL_PAUSE_MS);
    }
  }
}

/** How it ended, with the count when that is why it is given up. */
function reasonOf(watched: Watched, state: UnitState | undefined): string {
  if (watched.unit.role === "socket") return socketReason(watched.unit.unit);
  const end = watched.lastEnd === undefined ? "its unit is not loaded" : endReason(watched.lastEnd);
  const restarts = state?.service?.restarts ?? 0;
  return restarts >= CRASHES ? `${end}, ${restarts} times in a row` : end;
}

function lateReason(watched: Watched): string {
  return watched.lastEnd === undefined ? "did not become ready in time" : `${endReason(watched.lastEnd)}; did not become ready in time`;
}
