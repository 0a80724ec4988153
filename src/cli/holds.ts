// Pods that a person has stopped for good: a mark each, `<state>/holds/POD`, that applies, the watcher and status go by.
import type { Paths } from "../base/facts.js";
import type { Manifest } from "../base/installed.js";
import type { FileReader, FileWriter } from "../ports/files.js";

/** Names of the held pods. */
export async function heldPods(paths: Pick<Paths, "state">, files: FileReader): Promise<ReadonlySet<string>> {
  return new Set((await files.list(`${paths.state}/holds`)).filter((name) => !name.startsWith(".")));
}

export async function holdPod(paths: Pick<Paths, "state">, files: FileWriter, pod: string, now: number): Promise<void> {
  await files.write(`${paths.state}/holds/${pod}`, new TextEncoder().encode(`${JSON.stringify({ at: now })}\n`), 0o600);
}

export async function releasePod(paths: Pick<Paths, "state">, files: FileWriter, pod: string): Promise<void> {
  await files.remove(`${paths.state}/holds/${pod}`, paths.state);
}

/** A pod that is deleted is held no more: one of its name may come later. */
export async function forgetHolds(paths: Pick<Paths, "state">, files: FileWriter, after: Manifest): Promise<void> {
  for (const pod of await heldPods(paths, files)) if (after.pods[pod] === undefined) await releasePod(paths, files, pod);
}
