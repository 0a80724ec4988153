// ConfigMaps and Secrets that podgen keeps: what becomes of them, and which of them nobody needs any more.
import type { Installed, Manifest, ManifestPod, OwnedObject } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import type { Rendered } from "../render/types.js";
import { sha256 } from "./manifest.js";
import type { ChangeSet, FileChange } from "./types.js";

export interface ObjectChange extends Pick<ChangeSet, "objects" | "forgotten" | "resourced"> {
  readonly files: readonly FileChange[];
  readonly changed: boolean;
}

/** The objects once the change is done; `prune` names those to forget, of which rendered ones stay. */
export function changeObjects(rendered: Rendered, installed: Installed, prune: readonly string[]): ObjectChange {
  const before = installed.manifest.objects;
  const bytes = new Map(rendered.shared.map((f) => [f.path, f.bytes]));
  const wanted = Object.entries(rendered.objects).map(([key, { path, source }]): [string, OwnedObject] => {
    const content = bytes.get(path);
    if (content === undefined) throw new Error(`object ${key} has no file among the rendered ones`);
    return [key, { path, sha256: sha256(content), source }];
  });
  const forgotten = [...new Set(prune)].filter((key) => rendered.objects[key] === undefined && before[key] !== undefined);
  const rest = Object.entries(before).filter(([key]) => !forgotten.includes(key));
  const files = forgotten.flatMap((key): FileChange[] => {
    const path = before[key]?.path ?? "";
    const content = installed.files.get(path);
    if (content === undefined) return [];
    return [{ path, action: "remove", kind: "object", secret: key.startsWith("Secret/"), mode: 0o600, before: content }];
  });
  const resourced = wanted.flatMap(([key, { source }]) => (before[key] !== undefined && before[key].source !== source ? [key] : []));
  const changed = forgotten.length + resourced.length > 0 || wanted.some(([key, object]) => before[key]?.sha256 !== object.sha256);
  return { objects: recordOf([...rest, ...wanted]), forgotten, resourced, files, changed };
}

/** What an object may be unneeded by: pods that go, and sources that were read anew or whose pods go. */
export interface Leaving {
  /** Pods that are installed when all is done, as they are then. */
  readonly staying: readonly Pick<ManifestPod, "objects">[];
  readonly gone: readonly ManifestPod[];
  /** Absolute paths and URLs; standard input is none, since what came that way need not belong together. */
  readonly sources: ReadonlySet<string>;
}

/**
 * Objects to forget: those of the given sources, and those that the leaving pods refer to, unless a pod that stays
 * refers to them. A Secret is not kept for nobody. Of an object whose source was not remembered (an older podgen's) the
 * pods of the sources tell: one that they refer to, or did, is theirs.
 */
export function unneededObjects(manifest: Manifest, leaving: Leaving): string[] {
  const { staying, gone, sources } = leaving;
  const needed = new Set(staying.flatMap((pod) => pod.objects));
  const referred = new Set(gone.flatMap((pod) => pod.objects));
  const known = Object.values(manifest.pods).filter((pod) => sources.has(pod.source));
  const ofSources = new Set(known.flatMap((pod) => pod.objects));
  return Object.entries(manifest.objects).flatMap(([key, { source }]) => {
    const theirs = referred.has(key) || (source === undefined ? ofSources.has(key) : sources.has(source));
    // Of a claim there are files; what is written in it is removed by name alone (podgen volume rm).
    return theirs && !needed.has(key) && !key.startsWith("PersistentVolumeClaim/") ? [key] : [];
  });
}
