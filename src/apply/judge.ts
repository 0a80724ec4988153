// The verdict on one unit by the manager's truth: up, still on its way, or down and why. Pure.
import { OOM_EXIT_CODE } from "../base/end.js";
import type { UnitState } from "../base/installed.js";
import { signalName } from "../base/signal.js";
import { readSocketUnit } from "../base/socket-unit.js";

/** A container counts as up when it has stayed up for so long, milliseconds: most broken configurations end sooner. */
const SETTLE_MS = 50;
/**
 * How many ends in a row make a crash loop. The first restart is at once and the next comes after a back-off of 10 s,
 * so a container that needs a slow sibling (a database that initialises) has that long.
 */
export const CRASHES = 3;
/** The command cannot be executed or is not there (native/README.md): no retry helps. */
const HOPELESS = new Set([126, 127]);

/** How podrt begins a unit's STATUS= when what was to be done after the start has failed (native/verb_hook.c). */
const FAILED_HOOK = "FailedPostStartHook: ";

/** `settles`: milliseconds until it counts as up, if it stays so. */
export type Verdict =
  | { readonly state: "up" }
  | { readonly state: "pending"; readonly settles?: number }
  | { readonly state: "down"; readonly reason: string };

/** A unit that the manager cannot use does not start, whatever still runs of it. */
const UNUSABLE: ReadonlySet<string> = new Set(["not-found", "bad-setting", "error", "masked"]);

/** Why the manager cannot use the unit, in its own words where it has some; undefined where it can. */
export function loadFailure(unit: UnitState): string | undefined {
  if (!UNUSABLE.has(unit.loadState)) return undefined;
  return unit.loadError ?? `unit ${unit.name} cannot be used: ${unit.loadState}`;
}

/**
 * Judges one container or init unit that can be used. `now` in microseconds since the epoch; of its restarts the first
 * `earlier` ones do not count.
 */
export function judge(unit: UnitState, init: boolean, now: number, earlier = 0): Verdict {
  const service = unit.service;
  if (service === undefined) return { state: "pending" };
  if (unit.activeState === "active") {
    if (init || unit.subState === "exited") return { state: "up" };
    const settles = SETTLE_MS - (now - service.activeEnter) / 1000;
    return settles <= 0 ? { state: "up" } : { state: "pending", settles };
  }
  const ended = service.execMainStatus !== 0 || service.result !== "success";
  if (unit.activeState === "failed") return { state: "down", reason: endReason(unit) };
  if (unit.activeState === "inactive") {
    if (service.activeEnter > 0 && !ended) return { state: "up" };
    return ended ? { state: "down", reason: endReason(unit) } : { state: "pending" };
  }
  if (ended && HOPELESS.has(service.execMainStatus) && service.execMainCode === 1) return { state: "down", reason: endReason(unit) };
  if (service.restarts - earlier >= CRASHES) return { state: "down", reason: endReason(unit) };
  return { state: "pending" };
}

/** Judges the socket of a published port. */
export function judgeSocket(unit: UnitState): Verdict {
  if (unit.activeState === "failed") return { state: "down", reason: socketReason(unit.name) };
  return { state: unit.activeState === "active" ? "up" : "pending" };
}

function socketReason(unit: string): string {
  const { hostIP = "", hostPort, protocol } = readSocketUnit(unit) ?? {};
  const on = hostIP === "" ? "" : ` on ${hostIP}`;
  return `host port ${hostPort}/${protocol}${on} cannot be opened; another program may listen on it`;
}

/** Commands that show why a socket failed. */
export function socketHint(unit: string): string {
  const { hostPort, protocol } = readSocketUnit(unit) ?? {};
  return `ss -H${protocol === "UDP" ? "lunp" : "ltnp"} 'sport = :${hostPort}'; journalctl --user --unit ${unit}`;
}

/** How the main process ended, in words; waitid's codes: 1 exited, 2 killed, 3 dumped. */
export function endReason(unit: UnitState): string {
  const service = unit.service;
  if (service === undefined) return "unit is not loaded";
  // podrt's own word: the manager knows only that it has ended the container then.
  if (service.statusText.startsWith(FAILED_HOOK)) return `postStart has failed: ${service.statusText.slice(FAILED_HOOK.length)}`;
  if (service.result === "oom-kill") return `OOMKilled (exit code ${OOM_EXIT_CODE}): it took more memory than it may`;
  if (service.result === "watchdog") return "ended by its watchdog: it has not said in time that it is alive (WATCHDOG=1)";
  if (service.result === "protocol") return `ended before it said that it is ready (READY=1)`;
  if (service.execMainCode === 2 || service.execMainCode === 3)
    return `killed by signal ${service.execMainStatus} (${signalName(service.execMainStatus)})`;
  if (service.execMainCode === 1) return `exited with status ${service.execMainStatus}`;
  return service.result === "success" ? "ended" : `failed (${service.result})`;
}
