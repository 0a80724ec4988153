// Held pods in a change set: they get their new files, and no job, until they are released. Pure.
import type { Diagnostic, Location } from "../base/diagnostic.js";
import type { Installed } from "../base/installed.js";
import type { Rendered } from "../render/types.js";
import { quiet } from "./passive.js";
import type { ChangeSet } from "./types.js";
import { changesNothing } from "./without.js";

/** Takes the starts of held pods out, and what would start them at boot. */
export function withHolds(changes: ChangeSet, held: ReadonlySet<string>, installed: Installed): ChangeSet {
  const touched: string[] = [];
  const pods = changes.pods.map((pod) => {
    const before = installed.manifest.pods[pod.name];
    if (!held.has(pod.name) || before === undefined || pod.manifest === undefined) return pod;
    const still = quiet({ ...pod, enable: [] }, before, installed, "held: not started");
    if (pod.verdict !== "unchanged") touched.push(pod.name);
    return still;
  });
  if (touched.length === 0) return changes;
  const rest = { ...changes, pods, notes: [...(changes.notes ?? []), ...touched.map(note)] };
  return { ...rest, empty: changesNothing(rest, installed) };
}

function note(pod: string): string {
  return `pod ${pod} is held and stays stopped: podgen release ${pod}`;
}

/** Pods that require a held one: their start would be its start. One error each, at the pod's place. */
export function requireHeld(
  { pods }: Pick<Rendered, "pods">,
  held: ReadonlySet<string>,
  places: ReadonlyMap<string, Location>,
): Diagnostic[] {
  return pods.flatMap(({ name, after = [] }): Diagnostic[] => {
    const needed = held.has(name) ? undefined : after.find((edge) => edge.requires && held.has(edge.pod));
    if (needed === undefined) return [];
    const at = places.get(name);
    const message = `pod "${name}" requires pod "${needed.pod}", which is held`;
    return [{ code: "held-pod", severity: "error", message, ...(at === undefined ? {} : { at }), hint: `podgen release ${needed.pod}` }];
  });
}
