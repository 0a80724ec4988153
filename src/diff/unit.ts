// The verdict on one unit: what is installed and runs, against what was rendered.
import type { Installed, UnitState } from "../base/installed.js";
import { isFinished, type JobRecord, parseJobState, stateOf } from "../base/job.js";
import type { RenderedFile, RenderedPod, RenderedUnit } from "../render/types.js";
import { changedParts } from "./bundle.js";
import { changedDirectives, needRestart, parseDirectives } from "./directives.js";
import { sameBytes } from "./files.js";
import type { UnitChange, Verdict } from "./types.js";

/** Started by others: by a connection, or with what lies in it. Not running is nothing to act upon. */
const ON_DEMAND = new Set<RenderedUnit["role"]>(["forward", "balance", "deadline", "slice", "cron"]);

const DONE = new Set<RenderedUnit["role"]>(["pod", "slice", "gate"]);

/** The reason of a unit whose file is as wanted, but which the manager has not read. */
export const NOT_LOADED = "unit file not loaded yet";

/** Judges one unit by itself; what restarts along with another is the caller's matter. */
export function judgeUnit(pod: RenderedPod, unit: RenderedUnit, installed: Installed): UnitChange {
  const state = installed.units.get(unit.name);
  const say = (verdict: Verdict, ...reasons: string[]): UnitChange => ({
    unit: unit.name,
    role: unit.role,
    ...(unit.container === undefined ? {} : { container: unit.container }),
    ...(unit.sidecar === undefined ? {} : { sidecar: unit.sidecar }),
    verdict,
    reasons,
  });

  if (pod.job !== undefined) return judgeController(pod, pod.job, unit, installed, say);
  const file = pod.files.find((f) => f.kind === "unit" && unit.files.includes(f.path));
  const before = file === undefined ? undefined : installed.files.get(file.path);
  const active = isActive(state);
  if (!active && before === undefined) return say("create", "new");

  const stale = staleContent(pod, unit, installed);
  const changed = file === undefined ? undefined : fileChange(file, before, state);
  const changes = [...stale, ...(changed?.reasons ?? [])];
  if (!active) {
    if (ON_DEMAND.has(unit.role)) return changed === undefined ? say("unchanged") : say("reload", ...changes);
    if (stale.length === 0 && (isCompleted(unit, file, state) || isNeededNoMore(pod, unit, installed)))
      return changed === undefined ? say("unchanged") : say("reload", ...changes);
    const start = say("start", notRunning(state), ...changes);
    return stale.length > 0 || changed?.restart === true ? { ...start, renewed: true } : start;
  }
  if (stale.length > 0) return { ...say("restart", ...changes), recreate: true };
  if (isUnjudged(pod, unit, state, installed)) return say("restart", "an earlier apply was interrupted", ...changes);
  // It holds nothing, and what it has read cannot be seen from here.
  if (unit.role === "probe" && installed.manifest.pods[pod.name]?.unfinished === true)
    return say("restart", "an earlier apply was interrupted", ...changes);
  const files = liveChange(pod, unit, installed);
  if (files !== undefined && changed?.restart !== true) return { ...say("reload", files, ...changes), refresh: true };
  if (changed === undefined) return say("unchanged");
  // These have done their work and hold nothing: their new text counts at the next start, stop and boot.
  return say(changed.restart && !DONE.has(unit.role) ? "restart" : "reload", ...changes);
}

/** A Job's controller: it is over when the Job is, and reads its file when it starts. */
function judgeController(
  pod: RenderedPod,
  job: JobRecord,
  unit: RenderedUnit,
  installed: Installed,
  say: (verdict: Verdict, ...reasons: string[]) => UnitChange,
): UnitChange {
  const state = installed.units.get(unit.name);
  const told = parseJobState(installed.files.get(job.state));
  const before = installed.manifest.pods[pod.name]?.job;
  const changes = pod.files.flatMap((file) => {
    const bytes = installed.files.get(file.path);
    if (file.kind === "unit") return fileChange(file, bytes, state) ?? [];
    return bytes !== undefined && sameBytes(bytes, file.bytes) ? [] : [{ restart: true, reasons: [runReason(job, before)] }];
  });
  const reasons = changes.flatMap((c) => c.reasons);
  const restart = changes.some((c) => c.restart);
  // A run of a CronJob is started by that one, and goes on with what it has read.
  if (job.cron !== undefined) return changes.length === 0 ? say("unchanged") : say("reload", ...reasons);
  if (isActive(state)) return changes.length === 0 ? say("unchanged") : say(restart ? "restart" : "reload", ...reasons);
  if (before === undefined) return say("create", "new");
  const known = stateOf(job, told);
  if (known?.phase === "expired") return say("start", "its time after its end is over: it runs anew", ...reasons);
  if (isFinished(known) && !restart) return changes.length === 0 ? say("unchanged") : say("reload", ...reasons);
  const start = say("start", isFinished(known) ? "finished" : notRunning(state), ...reasons);
  return restart ? { ...start, renewed: true } : start;
}

function runReason(job: JobRecord, before: JobRecord | undefined): string {
  if (before === undefined || before.run === job.run) return "job changed";
  return "job changed: it runs anew";
}

/** Why the files that a running container sees are to be exchanged (podgen.io/config-reload: update); undefined: they are as wanted. */
function liveChange(pod: RenderedPod, unit: RenderedUnit, installed: Installed): string | undefined {
  if (unit.liveFiles === undefined) return undefined;
  const running = installed.running.get(`${pod.name}/${unit.container}`);
  return running?.alive === true && running.files !== unit.liveFiles ? "files of its volumes changed: updated in place" : undefined;
}

export function isActive(state: UnitState | undefined): boolean {
  return state !== undefined && ["active", "activating", "reloading", "deactivating", "refreshing"].includes(state.activeState);
}

/**
 * Why what runs is not what was rendered. A living container says of which bundle it was started, so that an apply that
 * was killed between writing and restarting is mended by the next one. A dead one (an init container that is done, one
 * that waits for its next try) counts as current only if both its last run and the bundle on disk are: the try that
 * failed may have come too early to leave a state.
 */
function staleContent(pod: RenderedPod, unit: RenderedUnit, installed: Installed): string[] {
  if (unit.digest === undefined || unit.container === undefined) return [];
  const running = installed.running.get(`${pod.name}/${unit.container}`);
  const seen = running?.alive === true ? [running.digest] : [running?.digest, installedDigest(unit, installed)];
  if (seen.every((digest) => digest === undefined || digest === unit.digest)) return [];
  const was = installed.manifest.pods[pod.name]?.images[unit.container];
  const is = pod.images[unit.container];
  if (was === undefined || is === undefined || (was.digest === is.digest && was.reference === is.reference))
    return [bundleChange(pod, unit, installed)];
  const name = (image: { reference: string; digest: string }): string =>
    was.reference === is.reference ? shortDigest(image.digest) : `${image.reference}@${shortDigest(image.digest)}`;
  return [`image ${name(was)} -> ${name(is)}`];
}

/** With what of it is another, where the one before still lies there. */
function bundleChange(pod: RenderedPod, unit: RenderedUnit, installed: Installed): string {
  const path = unit.files.find((f) => f.endsWith("/config.json"));
  const file = pod.files.find((f) => f.path === path);
  const parts = path === undefined ? "" : changedParts(installed.files.get(path), file?.bytes);
  return parts === "" ? "bundle changed" : `bundle changed: ${parts}`;
}

/** Between two tries, in a pod whose apply was killed: the last one may have been of another version, and the next be minutes away. */
function isUnjudged(pod: RenderedPod, unit: RenderedUnit, state: UnitState | undefined, installed: Installed): boolean {
  if (installed.manifest.pods[pod.name]?.unfinished !== true || state?.activeState !== "activating") return false;
  if (unit.role !== "container" && unit.role !== "init") return false;
  return installed.running.get(`${pod.name}/${unit.container}`)?.alive !== true;
}

/** The digest that the bundle on disk says of itself. */
function installedDigest(unit: RenderedUnit, installed: Installed): string | undefined {
  const path = unit.files.find((f) => f.endsWith("/config.json"));
  const bytes = path === undefined ? undefined : installed.files.get(path);
  if (bytes === undefined) return undefined;
  return /"io\.podgen\.digest": "([0-9a-f]{64})"/.exec(new TextDecoder().decode(bytes))?.[1] ?? "unreadable";
}

function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

interface TextChange {
  readonly restart: boolean;
  readonly reasons: readonly string[];
}

/** What a changed unit file, or one the manager has not read yet, asks for; undefined when nothing. */
function fileChange(file: RenderedFile, before: Uint8Array | undefined, state: UnitState | undefined): TextChange | undefined {
  if (before === undefined) return { restart: false, reasons: ["unit file was gone"] };
  if (sameBytes(before, file.bytes)) return state?.needDaemonReload === true ? { restart: false, reasons: [NOT_LOADED] } : undefined;
  const keys = changedDirectives(parseDirectives(before), parseDirectives(file.bytes));
  if (keys.length > 0) return { restart: needRestart(keys).length > 0, reasons: [`unit file: ${keys.map(shortKey).join(", ")}`] };
  return { restart: false, reasons: ["unit file: comments"] };
}

function shortKey(key: string): string {
  return key.slice(key.indexOf(".") + 1);
}

/** podrt uplink's way to say that this machine has no pasta (native/verb_uplink.c). */
const NO_PASTA = 77;

/**
 * Ended, and to stay so: with success under a restart policy that lets it, or an uplink that has nothing to do. An init
 * container's unit stays active instead.
 */
function isCompleted(unit: RenderedUnit, file: RenderedFile | undefined, state: UnitState | undefined): boolean {
  if (file === undefined || state?.service === undefined || state.activeState !== "inactive") return false;
  const { result, execMainCode, execMainStatus } = state.service;
  // waitid's CLD_EXITED is 1; a unit that was never started has 0.
  if (result !== "success" || execMainCode !== 1) return false;
  if (unit.role === "uplink") return execMainStatus === NO_PASTA;
  const policy = parseDirectives(file.bytes).get("Service.Restart")?.[0];
  return unit.role === "container" && policy !== "always" && execMainStatus === 0;
}

/** A sidecar of containers that are all done: podrt has stopped it with the last of them. */
function isNeededNoMore(pod: RenderedPod, unit: RenderedUnit, installed: Installed): boolean {
  if (unit.sidecar === undefined) return false;
  const mains = pod.units.filter((u) => u.role === "container" && u.sidecar === undefined);
  return mains.every((main) => {
    const file = pod.files.find((f) => f.kind === "unit" && main.files.includes(f.path));
    return isCompleted(main, file, installed.units.get(main.name));
  });
}

function notRunning(state: UnitState | undefined): string {
  return state?.activeState === "failed" ? `failed (${state.service?.result ?? "unknown"})` : "not running";
}
