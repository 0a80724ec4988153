// One unit of a pod that is watched: what is remembered of it between two looks, when to read more, what to say of it.
import type { UnitState } from "../base/installed.js";
import type { UnitChange } from "../diff/types.js";
import type { Listed } from "../ports/manager.js";
import { CRASHES, endReason, judge, judgeSocket, loadFailure, type Verdict } from "./judge.js";

/** All that the manager knows of a unit is read when its listing has changed, and so long after the last time in any case, milliseconds. */
const READ_ANYWAY_MS = 1000;

/** What is remembered of a unit between two looks. */
export interface Watched {
  readonly unit: UnitChange;
  /** As it was before the job. */
  readonly before: UnitState | undefined;
  /**
   * Only another invocation counts: it is acted on, or restarts along with one that is. What systemd kills on the way, because
   * it does not hear SIGTERM, is failed for a moment.
   */
  readonly renewed: boolean;
  /** What was read last, and what the listing was then. */
  seen: { readonly listing: string; readonly at: number; readonly state: UnitState } | undefined;
  /** How it last ended: gone from the manager's properties as soon as the next start runs. */
  lastEnd?: UnitState;
}

/** Nothing runs without them. */
const NEEDED: ReadonlySet<string> = new Set(["infra", "socket"]);

/** All that a listing says, in one string: another one when anything of it has changed. */
export function listingOf(listed: Listed): string {
  return `${listed.loadState} ${listed.activeState} ${listed.subState} ${listed.job}`;
}

/**
 * Whether a listing is worth a closer look. What is on its way needs none, but for one that has crashed: the next start has the
 * count. An active unit that is to be renewed may have been so between two looks, without a trace in the listing.
 */
export function asksForMore(watched: Watched, listed: Listed, now: number, since: number): boolean {
  const { seen, lastEnd, renewed, before } = watched;
  if (now - (seen?.at ?? since) >= READ_ANYWAY_MS) return true;
  if (seen?.listing === listingOf(listed))
    return renewed && listed.activeState === "active" && listed.job === 0 && seen.state.invocation === before?.invocation;
  const between = listed.subState.startsWith("auto-restart");
  const underWay = listed.job !== 0 || listed.activeState === "activating" || listed.activeState === "deactivating";
  return !underWay || between || lastEnd !== undefined || listed.loadState !== "loaded";
}

/** Whether one that the change leaves alone is up before it. */
export function isUp(unit: UnitChange, state: UnitState | undefined, now: number): boolean {
  if (state === undefined || loadFailure(state) !== undefined) return false;
  if (NEEDED.has(unit.role)) return state.activeState !== "inactive" && state.activeState !== "failed";
  return judge(state, isOneshot(unit), now * 1000, state.service?.restarts).state === "up";
}

/** One that was left alone may have ended and wait for its next start; that is how it was before, and no reason to wait. */
export function isAwaited(watched: Watched): boolean {
  return watched.renewed || NEEDED.has(watched.unit.role);
}

/** The verdict on what was read; remembers an end that it sees. `now` in milliseconds since the epoch. */
export function verdictOf(watched: Watched, state: UnitState, now: number): Verdict {
  const { unit, before, renewed } = watched;
  const unusable = loadFailure(state);
  if (unusable !== undefined) return { state: "down", reason: unusable };
  if (renewed && state.invocation === before?.invocation) return { state: "pending" };
  if (unit.role === "socket") return judgeSocket(state);
  if (state.service !== undefined && state.service.execMainCode !== 0) watched.lastEnd = state;
  // With the containers that a sidecar is for, it ends, too.
  const service = state.service;
  if (unit.sidecar && state.activeState === "inactive" && service?.result === "success" && service.activeEnter > 0) return { state: "up" };
  return judge(state, isOneshot(unit), now * 1000, earlierRestarts(watched));
}

/** Up for good when it has ended with success. */
function isOneshot(unit: UnitChange): boolean {
  return unit.role === "init" || unit.role === "gate";
}

/** Those of before the change, of what it leaves alone; what is started anew counts from nought. */
function earlierRestarts(watched: Watched): number {
  return watched.renewed ? 0 : (watched.before?.service?.restarts ?? 0);
}

/** How it ended, with the count when that is why it is given up. `reason`: what the unit's state says now. */
export function reasonOf(watched: Watched, reason: string): string {
  const state = watched.seen?.state;
  if (watched.unit.role === "socket" || state === undefined || loadFailure(state) !== undefined) return reason;
  const end = watched.lastEnd === undefined ? reason : endReason(watched.lastEnd);
  const restarts = (state.service?.restarts ?? 0) - earlierRestarts(watched);
  return restarts >= CRASHES ? `${end}, ${restarts} times in a row` : end;
}

/** Why one is given up that was pending when the time was over. */
export function lateReason(watched: Watched): string {
  return watched.lastEnd === undefined ? "did not become ready in time" : `${endReason(watched.lastEnd)}; did not become ready in time`;
}
