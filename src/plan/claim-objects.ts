// PersistentVolumeClaims: what of one may change once it was applied, and who may use its volume.
import type { Diagnostic } from "../base/diagnostic.js";
import type { ManifestPod } from "../base/installed.js";
import type { ClaimModel, Model, PodModel } from "../model/types.js";
import type { AppliedObjects } from "./objects.js";

export function claimKey(name: string): string {
  return `PersistentVolumeClaim/${name}`;
}

/** A claim keeps what its volume was made with; its size may grow, as in Kubernetes. */
export function checkClaims(model: Model, applied: AppliedObjects): Diagnostic[] {
  return model.claims.flatMap((claim): Diagnostic[] => {
    const before = applied.claims.get(claim.name);
    if (before === undefined) return [];
    const moved = [
      ...(same([...before.accessModes].sort(), [...claim.accessModes].sort()) ? [] : ["accessModes"]),
      ...(before.storageClassName === claim.storageClassName ? [] : ["storageClassName"]),
      ...(same(before.owner, claim.owner) ? [] : ["volume.podman.io/uid or gid"]),
    ];
    const shrunk = (claim.storage ?? 0) < (before.storage ?? 0) ? ["resources.requests.storage, which may only grow"] : [];
    const all = [...moved, ...shrunk];
    if (all.length === 0) return [];
    const message = `PersistentVolumeClaim "${claim.name}" was applied with other ${all.join(", ")}`;
    const hint = `give the changed one another name; podgen volume rm ${claim.name} forgets the old one, with all its files`;
    return [{ code: "immutable-object", severity: "error", message, at: claim.at, hint }];
  });
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Claims that one pod alone may use, of this apply and earlier ones. */
export function exclusiveClaims(claims: ReadonlyMap<string, ClaimModel>): string[] {
  return [...claims.values()].filter((c) => c.accessModes.includes("ReadWriteOncePod")).map((c) => c.name);
}

/** One error per claim of ReadWriteOncePod that more than one pod uses; `others`: installed pods that stay as they are. */
export function claimedVolumes(pods: readonly PodModel[], others: readonly ManifestPod[], exclusive: readonly string[]): Diagnostic[] {
  return exclusive.flatMap((name): Diagnostic[] => {
    const ours = pods.flatMap((pod) => {
      const volume = pod.volumes.find((v) => v.source.kind === "persistentVolumeClaim" && v.source.claimName === name);
      return volume === undefined ? [] : [{ pod: pod.name, at: volume.at }];
    });
    const theirs = others.filter((pod) => pod.objects.includes(claimKey(name))).map((pod) => pod.name);
    const users = [...theirs, ...ours.map((use) => use.pod)];
    if (users.length < 2) return [];
    const message = `the claim "${name}" is for one pod (ReadWriteOncePod), and ${users.map((pod) => `"${pod}"`).join(", ")} use it`;
    const at = ours.at(-1)?.at;
    const hint = `give each pod a claim of its own, or let one go: podgen delete ${users[0] ?? ""}`;
    return [{ code: "claimed-volume", severity: "error", message, ...(at === undefined ? {} : { at }), hint }];
  });
}
