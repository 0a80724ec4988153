// The file half of a transaction: carry out file changes, take them back, keep the manifest.
import type { Manifest, OwnedObject } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import type { ChangeSet, FileChange, PodChange } from "../diff/types.js";
import type { ApplyOptions, ApplyPorts } from "./types.js";

/**
 * Order in which kinds are written, so that what is named is there before what names it: a unit file appears last.
 * Removal goes the other way.
 */
const ORDER = ["object", "data", "bundle", "unit"];

function inOrder(changes: readonly FileChange[]): FileChange[] {
  return [...changes].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/**
 * Creates and updates; removal is a step of its own, after the units were stopped. Files of one kind are written
 * together: each costs an fsync, and the disk does many for the price of one.
 */
export async function writeFiles(ports: ApplyPorts, changes: readonly FileChange[]): Promise<void> {
  for (const kind of ORDER) {
    const writes = changes.flatMap((c) =>
      c.kind === kind && c.action !== "remove" && c.after !== undefined ? [{ ...c, after: c.after }] : [],
    );
    const results = await Promise.allSettled(writes.map((c) => ports.files.write(c.path, c.after, c.mode)));
    // Only when none is under way any more: what is written after an error would not be taken back.
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

export async function removeFiles(ports: ApplyPorts, changes: readonly FileChange[], roots: readonly string[]): Promise<void> {
  for (const change of inOrder(changes).reverse())
    if (change.action === "remove") await ports.files.remove(change.path, rootOf(change.path, roots));
}

/** The same changes backwards: what was replaced or removed comes back, what was created goes. */
export function inverse(changes: readonly FileChange[]): FileChange[] {
  return changes.map((c) => {
    const { before, after, ...rest } = c;
    return {
      ...rest,
      action: c.action === "create" ? "remove" : c.action === "remove" ? "create" : "update",
      ...(after === undefined ? {} : { before: after }),
      ...(before === undefined ? {} : { after: before }),
    };
  });
}

/** The longest root that contains the path by whole segments; the path's own folder when none does. */
function rootOf(path: string, roots: readonly string[]): string {
  const within = roots.filter((root) => path.startsWith(`${root}/`)).sort((a, b) => b.length - a.length);
  return within[0] ?? path.slice(0, path.lastIndexOf("/"));
}

/** Clears away what an apply that was killed has left beside the files it was writing: it may hold a secret. */
export async function tidyFiles(ports: ApplyPorts, options: ApplyOptions): Promise<void> {
  const { pods, objects } = options.manifest;
  const unfinished = Object.values(pods).filter((p) => p.unfinished === true);
  if (unfinished.length === 0) return;
  const paths = [...unfinished.flatMap((p) => p.files), ...Object.values(objects)].map((f) => f.path);
  const byFolder = new Map(paths.map((path) => [path.slice(0, path.lastIndexOf("/")), path]));
  for (const path of byFolder.values()) await ports.files.tidy(path, rootOf(path, options.roots));
}

/**
 * What podgen owns while the transaction runs: everything of before and of after. Written first, so that a run that is
 * killed leaves no file that the next one does not know.
 */
export function intent(manifest: Manifest, changes: ChangeSet): Manifest {
  const pods = recordOf(Object.entries(manifest.pods));
  for (const change of changes.pods) {
    const before = manifest.pods[change.name];
    if (change.manifest === undefined) {
      if (before !== undefined) pods[change.name] = { ...before, unfinished: true };
      continue;
    }
    const paths = new Set(change.manifest.files.map((f) => f.path));
    pods[change.name] = {
      ...change.manifest,
      files: [...change.manifest.files, ...(before?.files ?? []).filter((f) => !paths.has(f.path))],
      units: [...new Set([...change.manifest.units, ...(before?.units ?? [])])],
      folders: [...new Set([...change.manifest.folders, ...(before?.folders ?? [])])],
      unfinished: true,
      ...(before === undefined || before.fresh === true ? { fresh: true } : {}),
    };
  }
  return { ...manifest, pods, objects: recordOf([...Object.entries(manifest.objects), ...Object.entries(changes.objects)]) };
}

/**
 * The shared files that are taken back with the `failed` pods: the objects that only those refer to; everything when no
 * pod of the apply is left, since then nothing shall have changed.
 */
export function undoneShared(changes: ChangeSet, failed: ReadonlySet<string>): FileChange[] {
  const entries = changes.pods.flatMap((p) => p.manifest ?? []);
  const good = entries.filter((p) => !failed.has(p.name));
  if (entries.length === good.length) return [];
  const written = changes.shared.filter((f) => f.action !== "remove");
  if (good.length === 0) return written;
  const needed = new Set(good.flatMap((p) => p.objects));
  const theirs = entries.filter((p) => failed.has(p.name)).flatMap((p) => p.objects.filter((key) => !needed.has(key)));
  const paths = new Set(theirs.map((key) => changes.objects[key]?.path));
  return written.filter((f) => paths.has(f.path));
}

/**
 * What takes a failed pod's files back. A file in the secret store may be several pods', under a name that follows from
 * its bytes: what others have as `after` says is left as it is. What was removed always comes back.
 */
export function undonePod(change: PodChange, after: Manifest): FileChange[] {
  const others = Object.values(after.pods).filter((p) => p.name !== change.name);
  const needed = new Set(others.flatMap((p) => p.files.map((f) => f.path)));
  return inverse(change.files).filter((f) => f.action === "create" || !needed.has(f.path));
}

/**
 * Objects that were to go and stay: the version that a failed pod goes back to refers to them; or no pod of the apply
 * is left, since then nothing shall have changed.
 */
export function retainedObjects(manifest: Manifest, changes: ChangeSet, failed: ReadonlySet<string>): readonly string[] {
  const entries = changes.pods.filter((p) => p.manifest !== undefined);
  if (entries.length > 0 && entries.every((p) => failed.has(p.name))) return changes.forgotten;
  const needed = new Set([...failed].flatMap((name) => manifest.pods[name]?.objects ?? []));
  return changes.forgotten.filter((key) => needed.has(key));
}

/** What podgen owns when it is done: `failed` pods, and the objects taken back with them, are as they were before. */
export function outcome(manifest: Manifest, changes: ChangeSet, failed: ReadonlySet<string>): Manifest {
  const pods = recordOf(Object.entries(manifest.pods));
  for (const change of changes.pods) {
    if (failed.has(change.name)) continue;
    if (change.manifest === undefined) delete pods[change.name];
    else pods[change.name] = change.manifest;
  }
  const undone = new Set(undoneShared(changes, failed).map((f) => f.path));
  const retained = Object.fromEntries(
    retainedObjects(manifest, changes, failed).flatMap((key) =>
      manifest.objects[key] === undefined ? [] : [[key, manifest.objects[key]]],
    ),
  );
  const objects = Object.entries({ ...changes.objects, ...retained }).flatMap(([key, object]): [string, OwnedObject][] => {
    if (!undone.has(object.path)) return [[key, object]];
    const before = manifest.objects[key];
    return before === undefined ? [] : [[key, before]];
  });
  return { ...manifest, pods, objects: sameOrder(manifest.objects, recordOf(objects)) };
}

/** Keys in the order they had: what is put back is the same bytes. */
function sameOrder(before: Manifest["objects"], after: Manifest["objects"]): Manifest["objects"] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return recordOf(keys.flatMap((key): [string, OwnedObject][] => (after[key] === undefined ? [] : [[key, after[key]]])));
}

export async function writeManifest(ports: ApplyPorts, options: ApplyOptions, manifest: Manifest): Promise<void> {
  await ports.files.write(options.manifestPath, new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`), 0o600);
}
