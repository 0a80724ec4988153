// When an apply ends in an error before any unit was started: the files and units of before.
import { sameBytes } from "../diff/files.js";
import type { ChangeSet, FileChange } from "../diff/types.js";
import { inverse, removeFiles, writeManifest } from "./files.js";
import type { ApplyOptions, ApplyPorts } from "./types.js";
import { withVerdict } from "./units.js";

/**
 * Takes back what was written. Throws at the first thing that cannot be: the manifest then owns both sides, and the next
 * apply mends. Pods that were to be deleted are not brought back: they are stopped, and stay in the manifest.
 */
export async function abandon(ports: ApplyPorts, changes: ChangeSet, options: ApplyOptions): Promise<void> {
  await takeBack(ports, changes, options);
  if (changes.pods.every((p) => p.manifest !== undefined)) await writeManifest(ports, options, options.manifest);
}

/** The files and units of before; of pods that were not started since. */
export async function takeBack(ports: ApplyPorts, changes: Pick<ChangeSet, "pods" | "shared">, options: ApplyOptions): Promise<void> {
  const kept = changes.pods.filter((p) => p.manifest !== undefined);
  await ports.manager.disable(kept.flatMap((change) => change.enable));
  const back = inverse([...changes.shared, ...kept.flatMap((change) => change.files)]);
  // Removal first: where the disk is full, it makes the room that the rest needs.
  await removeFiles(ports, back, options.roots);
  for (const change of back) await restore(ports, change);
  await ports.manager.enable(kept.flatMap((change) => change.disable));
  await ports.manager.reload();
  const stopped = kept.flatMap((change) => withVerdict(change, "remove"));
  await Promise.all(stopped.map((u) => ports.manager.start(u.unit, options.timeout)));
}

/** One file after the other, and only where it is not as before: there may be room for one. */
async function restore(ports: ApplyPorts, change: FileChange): Promise<void> {
  if (change.action === "remove" || change.after === undefined) return;
  const present = await ports.files.read(change.path);
  if (present === undefined || !sameBytes(present, change.after)) await ports.files.write(change.path, change.after, change.mode);
}
