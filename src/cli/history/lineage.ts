// Lineages as people name them, and what of their generations is installed.
import type { Manifest } from "../../base/installed.js";
import { ownerName } from "../../base/owner.js";
import { entriesOf, type Generation, specKey } from "../../diff/generation.js";
import { sameEntry } from "../../diff/manifest.js";
import { EXIT, UserError } from "../exit.js";
import { podsOf, type Target } from "../targets.js";

/** `web` or `deployment/web`: a pod of a workload has its workload's. Throws UserError for what is not installed, and for a container. */
export function lineageOf(manifest: Manifest, target: Target): string {
  if (target.container !== undefined) throw new UserError("generations are of whole pods", EXIT.usage, `name the pod: ${target.pod}`);
  const [first] = podsOf(manifest, target);
  const pod = manifest.pods[first?.pod ?? ""];
  return pod?.owner === undefined ? (first?.pod ?? "") : ownerName(pod.owner);
}

/** The specs that a return to it brings back; undefined, of its own, where they are not known. */
export function specsOf({ name, specs, content }: Generation): Readonly<Record<string, string | undefined>> {
  return specs ?? { [specKey(name, content.workload?.rollout.kind)]: undefined };
}

/** Whether its pods are installed just so. */
export function isInstalled(generation: Generation, manifest: Manifest): boolean {
  const entries = entriesOf(generation);
  return entries.length > 0 && entries.every((entry) => sameEntry(manifest.pods[entry.name], entry));
}

/** The generation that is installed: the newest that is so. */
export function installedOf(generations: readonly Generation[], manifest: Manifest): Generation | undefined {
  return generations.findLast((g) => isInstalled(g, manifest));
}

/** The one to go back to: of that number, else the newest before the one that is installed. Throws UserError where there is none. */
export function chooseGeneration(generations: readonly Generation[], to: number | undefined, manifest: Manifest, name: string): Generation {
  const known = generations.map((g) => g.number).join(", ");
  const hint = known === "" ? "they are kept from now on, by each apply that changes it" : `there are ${known}: podgen history ${name}`;
  const current = installedOf(generations, manifest);
  if (to !== undefined) {
    const found = generations.find((g) => g.number === to);
    if (found === undefined) throw new UserError(`${name} has no generation ${to}`, EXIT.failed, hint);
    return found;
  }
  const before = generations.findLast(
    (g) => g.doubtful !== true && g.digest !== current?.digest && (current === undefined || g.number < current.number),
  );
  if (before === undefined)
    throw new UserError(
      `${name} has no generation before ${current === undefined ? "this" : "the one that is installed"}`,
      EXIT.failed,
      hint,
    );
  return before;
}
