// Rendered + Installed -> ChangeSet: the smallest set of actions, and why each. Pure.
import type { Diagnostic, Location } from "../base/diagnostic.js";
import type { Installed, ManifestPod } from "../base/installed.js";
import { isPodKey } from "../base/service.js";
import type { Rendered } from "../render/types.js";
import { wantedFiles } from "./files.js";
import { changeObjects } from "./objects.js";
import { changePod, deletePod } from "./pod.js";
import { scaledDown } from "./surge.js";
import type { ChangeSet, FileChange, PodChange } from "./types.js";
import { NOT_LOADED } from "./unit.js";

export interface ChangeOptions {
  /** Pods to delete, by name; one that is rendered stays, one that is not installed is passed over. */
  readonly prune?: readonly string[];
  /** Objects to forget, as `ConfigMap/name`; one that is rendered stays. */
  readonly pruneObjects?: readonly string[];
}

/** Compares what shall be with what is. Only pods that are rendered or pruned are looked at: all others stay. */
export function makeChangeSet(rendered: Rendered, installed: Installed, options: ChangeOptions): ChangeSet {
  const wanted = new Set(rendered.pods.map((p) => p.name));
  const gone = [...new Set([...(options.prune ?? []), ...scaledDown(rendered, installed)])]
    .filter((name) => !wanted.has(name))
    .flatMap((name) => installed.manifest.pods[name] ?? []);
  const goneNames = new Set(gone.map((p) => p.name));
  const others = Object.values(installed.manifest.pods).filter((p) => !wanted.has(p.name) && !goneNames.has(p.name));
  const kept = new Set([...rendered.pods, ...others].flatMap((pod) => pod.files.map((f) => f.path)));

  const left = [...rendered.pods, ...others].filter((p) => isPodKey(p.name)).length;
  const last = left === 0 ? gone.findLast((p) => isPodKey(p.name)) : undefined;
  const pods = [
    ...rendered.pods.map((pod) => changePod(pod, installed, kept)),
    ...gone.map((pod) => withPause(deletePod(pod, installed, kept), pod === last)),
  ];
  const objects = changeObjects(rendered, installed, options.pruneObjects ?? []);
  const shared = [
    ...wantedFiles(rendered.shared, installed),
    ...objects.files,
    ...(last === undefined ? [] : pauseRemoval(last, installed)),
  ];
  return {
    pods,
    shared,
    objects: objects.objects,
    forgotten: objects.forgotten,
    resourced: objects.resourced,
    reload: [...shared, ...pods.flatMap((p) => p.files)].some((f) => f.kind === "unit") || pods.some(waitsForReload),
    empty: shared.length === 0 && pods.every((p) => p.verdict === "unchanged") && !objects.changed,
  };
}

/**
 * Units of the rendered names that are not ours, from any search path: to write ours would hide or replace somebody
 * else's. One error each, at the place of its pod where `places` knows it.
 */
export function checkForeign(rendered: Rendered, installed: Installed, places: ReadonlyMap<string, Location> = new Map()): Diagnostic[] {
  const shared = rendered.shared
    .filter((f) => f.kind === "unit")
    .map((f) => ({ name: f.path.slice(f.path.lastIndexOf("/") + 1), at: undefined }));
  const units = rendered.pods.flatMap((pod) => pod.units.map((u) => ({ name: u.name, at: places.get(pod.name) })));
  return [...shared, ...units].flatMap(({ name, at }): Diagnostic[] => {
    const path = installed.foreign.get(name);
    if (path === undefined) return [];
    const message = `there is a unit ${name} already, and it is not podgen's: ${path}`;
    const hint = "rename the pod, or take the name over with apply --adopt";
    return [{ code: "foreign-unit", severity: "error", message, ...(at === undefined ? {} : { at }), hint }];
  });
}

/** A reload is due though no file changes: an earlier run wrote them and was killed. */
function waitsForReload(pod: PodChange): boolean {
  return pod.units.some((u) => u.verdict === "reload" || u.reasons.includes(NOT_LOADED));
}

/** The pause process ends with the last pod. */
function withPause(change: PodChange, last: boolean): PodChange {
  if (!last) return change;
  const pause = { unit: PAUSE, role: "pause", verdict: "remove", reasons: ["no pod is left"] } as const;
  return { ...change, units: [...change.units, pause] };
}

const PAUSE = "podgen-pause.service";

/** Its file too. The manifest does not name it, since no pod owns it: it lies beside their units. */
function pauseRemoval(last: ManifestPod, installed: Installed): FileChange[] {
  const unit = last.files.find((f) => f.path.endsWith(`/pod-${last.name}.service`));
  if (unit === undefined) return [];
  const path = `${unit.path.slice(0, unit.path.lastIndexOf("/"))}/${PAUSE}`;
  const before = installed.files.get(path);
  return [{ path, action: "remove", kind: "unit", secret: false, mode: 0o644, ...(before === undefined ? {} : { before }) }];
}
