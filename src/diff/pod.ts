// The change of one pod.
import { isCronKey } from "../base/cron.js";
import type { Installed, ManifestPod } from "../base/installed.js";
import type { RenderedPod } from "../render/types.js";
import { obsoleteFiles, wantedFiles } from "./files.js";
import { changeState, withoutJobs } from "./job.js";
import { manifestPod, sameEntry } from "./manifest.js";
import type { PodChange, UnitChange, Verdict } from "./types.js";
import { isActive, judgeUnit } from "./unit.js";

/** A wanted pod. `kept`: paths that any pod has when the apply is done. */
export function changePod(pod: RenderedPod, installed: Installed, kept: ReadonlySet<string>): PodChange {
  const before = installed.manifest.pods[pod.name];
  const manifest = manifestPod(pod);
  const memory = changeState(pod.job, installed, true);
  const files = [...wantedFiles(pod.files, installed), ...obsoleteFiles(before, kept, installed), ...memory.files];
  const runs = (name: string): boolean => isActive(installed.units.get(name));
  const judged = pod.units.map((unit) => judgeUnit(pod, unit, installed));
  const units = [
    ...withoutJobs(
      pod,
      withProbes(withFollowers(startOver(judged, before, manifest), requirements(pod), runs), requirements(pod), runs),
      files,
    ),
    ...(before?.units ?? []).filter((name) => !manifest.units.includes(name)).map((name) => removed(pod.name, before, name)),
  ];
  const unitState = (name: string): string | undefined => installed.units.get(name)?.unitFileState;
  // A delete that was killed may have disabled it: the manager goes by what it knew until it reloads.
  const enable = pod.enable.filter((name) => before?.unfinished === true || unitState(name) !== "enabled");
  const any = (...verdicts: Verdict[]): boolean => units.some((u) => verdicts.includes(u.verdict));
  const moved =
    files.length > 0 ||
    // Of a unit that is not loaded the file state is not known: to enable it once more is no change.
    enable.some((name) => unitState(name) !== undefined) ||
    !sameEntry(before, manifest) ||
    any("create", "reload", "restart", "remove");
  return {
    name: pod.name,
    verdict: before === undefined ? "created" : moved ? "configured" : any("start") ? "started" : "unchanged",
    files,
    units,
    enable,
    // Of a Service whose ports are others now.
    disable: (before?.enabled ?? []).filter((name) => !pod.enable.includes(name)),
    ...(pod.patience === undefined ? {} : { patience: pod.patience }),
    ...(memory.kept.length === 0 ? {} : { kept: memory.kept }),
    folders: topmost((before?.folders ?? []).filter((folder) => !manifest.folders.includes(folder))),
    manifest,
  };
}

/** A pod that goes: all that it owns and no other pod shares. */
export function deletePod(pod: ManifestPod, installed: Installed, kept: ReadonlySet<string>): PodChange {
  return {
    name: pod.name,
    verdict: "deleted",
    files: [...obsoleteFiles(pod, kept, installed), ...changeState(pod.job, installed, false).files],
    units: pod.units.map((name) => removed(pod.name, pod, name)),
    enable: [],
    disable: pod.enabled,
    folders: topmost(pod.folders),
  };
}

/** Init containers that come, go or change places: a running pod starts over, as Kubernetes would make a new one. */
function startOver(units: readonly UnitChange[], before: ManifestPod | undefined, after: ManifestPod): UnitChange[] {
  if (before === undefined || order(before) === order(after)) return [...units];
  const runs = (u: UnitChange): boolean => u.role === "pod" && (u.verdict === "reload" || u.verdict === "unchanged");
  return units.map((u) => (runs(u) ? { ...u, verdict: "restart", reasons: [...u.reasons, "init containers changed"] } : u));
}

function order({ inits, sidecars = [] }: ManifestPod): string {
  return [...inits, "", ...sidecars].join("/");
}

/** Which roles systemd restarts along with one: PartOf= the pod, Requisite= an init container. Beside them, what a unit requires. */
const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  pod: ["infra", "gate", "uplink", "init", "container", "probe", "forward", "timer"],
  init: ["init", "container", "probe"],
};

/** Unit -> the units that it requires by name, its sockets say. */
type Requirements = ReadonlyMap<string, readonly string[]>;

function requirements(pod: RenderedPod): Requirements {
  return new Map(pod.units.map((u) => [u.name, u.requires ?? []]));
}

/** What lives in infra's namespaces: systemd leaves it alone, since infra's death disturbs nobody; a new infra's are other ones. */
const IN_NAMESPACES: ReadonlySet<string> = new Set(["uplink", "init", "container", "forward"]);

/**
 * Adds to each unit that runs what it suffers because of others. What systemd restarts along with another names it, and is
 * not restarted once more, which would be an outage of its own; what does not run is started all the same. Units come in the order in
 * which they start, so a leader stands before its followers.
 */
function withFollowers(units: readonly UnitChange[], requires: Requirements, runs: (unit: string) => boolean): UnitChange[] {
  const infra = units.find((u) => u.role === "infra" && u.verdict === "restart");
  const moved = units.map((u) => (infra !== undefined && IN_NAMESPACES.has(u.role) && runs(u.unit) ? restarted(u, infra.unit) : u));
  const leaders: UnitChange[] = [];
  const led: UnitChange[] = [];
  return moved.map((unit) => {
    const needs = requires.get(unit.unit) ?? [];
    const leads = (l: UnitChange): boolean => needs.includes(l.unit) || FOLLOWERS[l.role]?.includes(unit.role) === true;
    const leader = leaders.find(leads) ?? led.find((l) => needs.includes(l.unit));
    if (leader !== undefined && runs(unit.unit)) {
      led.push(unit);
      return { ...restarted(unit, leader.unit), along: leader.unit };
    }
    if (unit.verdict === "restart") leaders.push(unit);
    return unit;
  });
}

/**
 * Probes that do not run: they start with their container, which wants them. By themselves they would start one that has ended, for
 * they are bound to it: so they are only where it runs.
 */
function withProbes(units: readonly UnitChange[], requires: Requirements, runs: (unit: string) => boolean): UnitChange[] {
  const starts = new Set(units.filter((u) => ["create", "start", "restart"].includes(u.verdict)).map((u) => u.unit));
  return units.map((unit) => {
    const [container = ""] = requires.get(unit.unit) ?? [];
    if (unit.role !== "probe" || runs(unit.unit)) return unit;
    if (starts.has(container)) return { ...unit, verdict: unit.verdict === "create" ? "create" : "start", along: container };
    return runs(container) ? unit : { ...unit, verdict: unit.verdict === "create" ? "reload" : "unchanged" };
  });
}

function restarted(unit: UnitChange, leader: string): UnitChange {
  return { ...unit, verdict: "restart", reasons: [...unit.reasons, `restarts with ${leader}`] };
}

function removed(pod: string, before: ManifestPod | undefined, name: string): UnitChange {
  const container = new RegExp(`^pod-${pod.replace(/\./g, "\\.")}_([^_]+)\\.service$`).exec(name)?.[1];
  const init = container !== undefined && before?.inits.includes(container) === true;
  const role = container !== undefined ? (init ? "init" : "container") : helperRole(pod, name);
  return { unit: name, role, ...(container === undefined ? {} : { container }), verdict: "remove", reasons: ["no longer wanted"] };
}

function helperRole(pod: string, name: string): string {
  if (isCronKey(pod)) return name.endsWith(".timer") ? "schedule" : "cron";
  if (name === `pod-${pod}.service`) return "pod";
  if (name.startsWith("podgen-job-")) return "job";
  if (name.endsWith(".slice")) return "slice";
  if (name.endsWith(".socket")) return "socket";
  if (name.endsWith(".timer")) return "timer";
  if (name.endsWith("__deadline.service")) return "deadline";
  if (name.endsWith("__gate.service")) return "gate";
  if (name.endsWith("__probe.service")) return "probe";
  return name.endsWith("__infra.service") ? "infra" : name.endsWith("__uplink.service") ? "uplink" : "forward";
}

/** Without the folders that lie in another of the list. */
function topmost(folders: readonly string[]): string[] {
  return folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
}
