// What the manifest remembers of a rendered pod.
import { hash } from "node:crypto";
import type { ManifestPod } from "../base/installed.js";
import type { RenderedPod } from "../render/types.js";

/** Hex sha256 of bytes. */
export function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** The manifest's entry of a pod once it is applied. */
export function manifestPod(pod: RenderedPod): ManifestPod {
  const sidecars = pod.units.flatMap((u) => (u.sidecar && u.container !== undefined ? [u.container] : []));
  return {
    name: pod.name,
    source: pod.source,
    ...(pod.owner === undefined ? {} : { owner: pod.owner }),
    files: pod.files.map((f) => ({ path: f.path, sha256: sha256(f.bytes) })),
    units: pod.units.map((u) => u.name),
    inits: pod.units.flatMap((u) => (u.role === "init" && u.container !== undefined ? [u.container] : [])),
    ...(sidecars.length === 0 ? {} : { sidecars }),
    enabled: pod.enable,
    images: pod.images,
    ...(pod.volumeImages === undefined ? {} : { volumeImages: pod.volumeImages }),
    folders: pod.folders,
    objects: pod.objects,
    ...(pod.serve === undefined ? {} : { serve: pod.serve }),
    ...(pod.service === undefined ? {} : { service: pod.service }),
    ...(pod.job === undefined ? {} : { job: pod.job }),
    ...(pod.cron === undefined ? {} : { cron: pod.cron }),
    ...(pod.after === undefined ? {} : { after: pod.after }),
    ...(pod.userns === undefined ? {} : { userns: pod.userns, shifted: [...pod.shifted.values()].sort() }),
  };
}

/** Whether two entries say the same, whatever the order of their keys. */
export function sameEntry(a: ManifestPod | undefined, b: ManifestPod): boolean {
  return a !== undefined && canonical(a) === canonical(b);
}

/** One text for what says the same. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
