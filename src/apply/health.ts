// Is a pod as wanted? Waits for its containers, tells a crash loop from a slow start, and explains what went wrong.
import { OOM_EXIT_CODE } from "../base/end.js";
import type { UnitState } from "../base/installed.js";
import { waitsFor } from "../base/pod-order.js";
import { signalName } from "../base/signal.js";
import type { PodChange } from "../diff/types.js";
import type { Listed } from "../ports/manager.js";
import { loadFailure, socketHint, type Verdict } from "./judge.js";
import type { ApplyPorts, ContainerFailure } from "./types.js";
import { unusable } from "./units.js";
import { asksForMore, isAwaited, isUp, lateReason, listingOf, reasonOf, verdictOf, type Watched } from "./watched.js";

/** The journal gets a container's last lines a moment after the manager has seen its end: so often and so long it is asked, milliseconds. */
const JOURNAL_TRIES = 5;
const JOURNAL_PAUSE_MS = 100;
/** Between two looks at the units, milliseconds; below systemd's RestartSec= of 100, so that no end is missed. */
const FIRST_LOOK_MS = 5;
const LOOK_MS = 60;

const JUDGED: ReadonlySet<string> = new Set(["infra", "gate", "container", "init", "socket", "probe"]);

/** A look at a pod's containers and ports that began before its jobs were queued, so that what was there before is not taken for the outcome. */
export class HealthWatch {
  private readonly ports: ApplyPorts;
  private readonly pod: string;
  private readonly watched: readonly Watched[];
  private readonly since: number;
  /** What it waits for, in words. */
  private readonly waits: string;

  private constructor(ports: ApplyPorts, change: PodChange, watched: readonly Watched[], since: number) {
    this.ports = ports;
    this.pod = change.name;
    this.waits = waitsFor(change.manifest?.after ?? []);
    this.watched = watched;
    this.since = since;
  }

  /** Of the units that the change leaves alone, those that are up now are watched: what did not run before is not its doing. */
  static async begin(ports: ApplyPorts, change: PodChange): Promise<HealthWatch> {
    const units = new Map(change.units.filter((u) => JUDGED.has(u.role) && u.verdict !== "remove").map((u) => [u.unit, u]));
    // A new one has never run: nothing to remember.
    const ran = (listed: Listed): boolean => listed.activeState !== "inactive" || units.get(listed.name)?.verdict !== "create";
    const looked = await ports.manager.look([...units.keys()], ran);
    const states = new Map(looked.map((l) => [l.listed.name, l.state]));
    const now = ports.clock.now();
    const watched = [...units.values()].flatMap((unit): Watched[] => {
      const before = states.get(unit.unit);
      const renewed = unit.verdict !== "unchanged" && unit.verdict !== "reload";
      return renewed || isUp(unit, before, now) ? [{ unit, before, renewed, seen: undefined }] : [];
    });
    return new HealthWatch(ports, change, watched, now);
  }

  /**
   * Waits until every container that was acted on is up, one is down for good, or the deadline (milliseconds since the
   * epoch) passes. The truth is read at each look; the clock and `hint`, which ends when a look is worth while, only say when.
   */
  async wait(deadline: number, hint?: Promise<unknown>): Promise<ContainerFailure[]> {
    for (const w of this.watched) w.seen = undefined;
    let hinted = hint?.then(
      () => undefined,
      () => undefined,
    );
    for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 2, LOOK_MS)) {
      const judged = await this.look();
      const down = judged.flatMap(({ w, verdict }) => (verdict.state === "down" ? [{ w, reason: reasonOf(w, verdict.reason) }] : []));
      if (down.length > 0) return Promise.all(down.map((j) => this.explain(j.w, j.reason)));
      const waiting = judged.flatMap(({ w, verdict }) => (verdict.state === "pending" && isAwaited(w) ? [{ w, verdict }] : []));
      if (waiting.length === 0) return [];
      const now = this.ports.clock.now();
      if (now >= deadline) {
        // Behind the gate nothing has begun.
        const gates = waiting.filter((j) => j.w.unit.role === "gate");
        return Promise.all((gates.length > 0 ? gates : waiting).map((j) => this.explain(j.w, lateReason(j.w))));
      }
      // When all run and only have to stay so, it is known when that is.
      const settles = waiting.map((j) => j.verdict.settles ?? LOOK_MS);
      const known = waiting.every((j) => j.verdict.settles !== undefined);
      const sleep = this.ports.clock.sleep(Math.max(1, Math.min(known ? Math.ceil(Math.max(...settles)) : pause, LOOK_MS, deadline - now)));
      if (hinted === undefined || known) await sleep;
      else if (await Promise.race([sleep.then(() => false), hinted.then(() => true)])) hinted = undefined;
    }
  }

  /** All units as they are listed, and more of those whose listing asks for it: a service has some 350 properties. */
  private async look(): Promise<{ readonly w: Watched; readonly verdict: Verdict }[]> {
    const units = new Map(this.watched.map((w) => [w.unit.unit, w]));
    const started = this.ports.clock.now();
    const looked = await this.ports.manager.look([...units.keys()], (listed) => {
      const w = units.get(listed.name);
      return w !== undefined && asksForMore(w, listed, started, this.since);
    });
    const now = this.ports.clock.now();
    const listings = new Map(looked.map((l) => [l.listed.name, l]));
    return this.watched.map((w) => {
      const { listed, state } = listings.get(w.unit.unit) ?? {};
      const listing = listed === undefined ? "" : listingOf(listed);
      if (state !== undefined) w.seen = { listing, at: now, state };
      return { w, verdict: w.seen?.listing === listing ? this.verdictOf(w, w.seen.state, now) : { state: "pending" } };
    });
  }

  /** Probes of a container that has ended say nothing: it is judged itself. */
  private verdictOf(w: Watched, state: UnitState, now: number): Verdict {
    if (w.unit.role !== "probe" || loadFailure(state) !== undefined) return verdictOf(w, state, now);
    const container = this.watched.find((c) => c.unit.unit === containerOf(w.unit.unit))?.seen?.state.activeState;
    if (container === "inactive" || container === "failed") return { state: "up" };
    return state.activeState === "active" ? verdictOf(w, state, now) : { state: "pending" };
  }

  /** A failure with the container's last lines since the job was queued, and the next step. */
  private async explain(watched: Watched, reason: string): Promise<ContainerFailure> {
    const { unit, seen } = watched;
    const base = { pod: this.pod, unit: unit.unit, reason, restarts: seen?.state.service?.restarts ?? 0 };
    if (unit.role === "probe" && seen !== undefined) return this.explainProbe(unit.unit, seen.state, base);
    if (seen !== undefined && loadFailure(seen.state) !== undefined) return unusable(this.pod, unit.unit, reason);
    if (unit.role === "gate") {
      const said = seen?.state.service?.statusText ?? "";
      const hint = "podgen status shows how far they are; --timeout gives them longer";
      return { ...base, reason: `not started in time: ${said === "" ? `it waits for ${this.waits}` : `it ${said}`}`, lastLines: [], hint };
    }
    if (unit.role === "socket") return { ...base, lastLines: [], hint: socketHint(unit.unit) };
    const end = watched.lastEnd?.service;
    return {
      ...base,
      container: unit.container ?? unit.unit,
      ...(end?.result === "oom-kill" ? { exitCode: OOM_EXIT_CODE } : end?.execMainCode === 1 ? { exitCode: end.execMainStatus } : {}),
      ...(end !== undefined && end.execMainCode > 1 ? { signal: signalName(end.execMainStatus) } : {}),
      lastLines: await this.lastLines(unit.unit),
      hint: `journalctl --user-unit ${unit.unit}`,
    };
  }

  /** What its probes say of a container that runs and is not ready. */
  private async explainProbe(
    unit: string,
    state: UnitState,
    base: Omit<ContainerFailure, "lastLines" | "hint">,
  ): Promise<ContainerFailure> {
    const container = containerOf(unit);
    const said = (state.service?.statusText ?? "").split("; ").slice(1).join("; ");
    return {
      ...base,
      unit: container,
      container: /_([^_]+)\.service$/.exec(container)?.[1] ?? container,
      reason: `did not become ready in time: ${said === "" ? "its probes have not succeeded yet" : said}`,
      lastLines: await this.lastLines(container),
      hint: `podgen status ${this.pod}; journalctl --user-unit ${container}`,
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

/** `pod-web_app.service` of `pod-web_app__probe.service`. */
function containerOf(probe: string): string {
  return probe.replace(/__probe\.service$/, ".service");
}
