// The images of a pod: its containers' and its volumes'.
import type { Location } from "../base/diagnostic.js";
import type { PodModel, PullPolicy } from "./types.js";

/** Who needs an image, and where that is said. */
export interface ImageUse {
  readonly kind: "container" | "volume";
  /** Of the container or the volume. */
  readonly name: string;
  /** As in a Container. */
  readonly image: string;
  readonly imagePullPolicy: PullPolicy;
  readonly imageAt: Location;
}

/** Init containers, containers, volumes. */
export function imageUses(pod: PodModel): ImageUse[] {
  const containers = [...pod.initContainers, ...pod.containers].map((c): ImageUse => ({ kind: "container", ...pick(c) }));
  const volumes = pod.volumes.flatMap(({ name, source }): ImageUse[] =>
    source.kind === "image" ? [{ kind: "volume", ...pick({ ...source, name }) }] : [],
  );
  return [...containers, ...volumes];
}

function pick({ name, image, imagePullPolicy, imageAt }: Omit<ImageUse, "kind">): Omit<ImageUse, "kind"> {
  return { name, image, imagePullPolicy, imageAt };
}

/** The pod with other names of images. */
export function withImages(pod: PodModel, name: (image: string) => string): PodModel {
  return {
    ...pod,
    initContainers: pod.initContainers.map((c) => ({ ...c, image: name(c.image) })),
    containers: pod.containers.map((c) => ({ ...c, image: name(c.image) })),
    volumes: pod.volumes.map((v) => (v.source.kind === "image" ? { ...v, source: { ...v.source, image: name(v.source.image) } } : v)),
  };
}
