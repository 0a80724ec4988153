// A change set without some of its pods: they stay as they are, all others are carried out.
import type { Installed, OwnedObject } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import type { ChangeSet } from "./types.js";

/**
 * Leaves pods out, by name, and with them the ConfigMaps and Secrets that no other pod of the change set refers to: what is
 * installed stays as it was applied last.
 */
export function withoutPods(changes: ChangeSet, names: ReadonlySet<string>, installed: Installed): ChangeSet {
  const pods = changes.pods.filter((p) => !names.has(p.name));
  if (pods.length === changes.pods.length) return changes;
  const referred = (all: ChangeSet["pods"]): string[] => all.flatMap((p) => p.manifest?.objects ?? []);
  const needed = new Set(referred(pods));
  const theirs = new Set(referred(changes.pods).filter((key) => !needed.has(key)));
  const paths = new Set([...theirs].map((key) => changes.objects[key]?.path));
  // The pause process is nobody's while there is no pod.
  const bare = pods.length === 0 && Object.keys(installed.manifest.pods).length === 0;
  const shared = changes.shared.filter((f) => !paths.has(f.path) && !(bare && f.kind === "unit"));
  const objects = Object.entries(changes.objects).flatMap(([key, object]): [string, OwnedObject][] => {
    const before = installed.manifest.objects[key];
    return theirs.has(key) ? (before === undefined ? [] : [[key, before]]) : [[key, object]];
  });
  const resourced = changes.resourced.filter((key) => !theirs.has(key));
  const rest = { ...changes, pods, shared, resourced, objects: recordOf(objects) };
  return { ...rest, empty: changesNothing(rest, installed) };
}

/** No file, no unit, no entry of the manifest is another one afterwards. */
export function changesNothing(changes: Pick<ChangeSet, "pods" | "shared" | "objects" | "resourced">, installed: Installed): boolean {
  const before = installed.manifest.objects;
  const keys = new Set([...Object.keys(before), ...Object.keys(changes.objects)]);
  const same = [...keys].every((key) => before[key]?.sha256 === changes.objects[key]?.sha256);
  return same && changes.resourced.length === 0 && changes.shared.length === 0 && changes.pods.every((p) => p.verdict === "unchanged");
}
