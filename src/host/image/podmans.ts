// What podman has of a pod's image: looked for before anybody else is asked, and used where it lies.
import { ImageError, type PullPolicy } from "../../ports/images.js";
import type { PodmanOptions, PodmanSource } from "./containers/source.js";
import type { Platform } from "./platform.js";
import type { Reference } from "./reference.js";
import type { ImageRecord } from "./store.js";

/** Nobody else's registry: what podman and buildah build without a registry's name is of it. */
const LOCALHOST = "localhost";

/**
 * Podman's image for a reference; undefined where somebody else is to be asked for it. With Always that is the registry, but for
 * localhost's; what podgen has pulled itself comes before podman's. Throws ImageError.
 */
export async function podmanImage(
  reference: Reference,
  policy: PullPolicy,
  record: ImageRecord | undefined,
  host: Platform,
  options: PodmanOptions,
): Promise<PodmanSource | undefined> {
  if (reference.kind === "containers-storage") return named(reference.text, () => open(reference, host, options), record);
  if (reference.kind !== "registry") return undefined;
  const built = reference.host === LOCALHOST;
  if ((record !== undefined && record.origin === undefined) || (policy === "Always" && !built)) return undefined;
  const { lookUp } = await import("./containers/source.js");
  const { repository, tag, digest, text } = reference;
  const name = `${reference.host}/${repository}${tag === undefined ? "" : `:${tag}`}`;
  try {
    return await lookUp({ name, ...(digest === undefined ? {} : { digest }) }, text, host, options);
  } catch (error) {
    // What cannot be used of podman's is nothing to stop for, where a registry has it too.
    if (!built && error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Podman's image, or undefined where it is gone and the store knows it still. */
async function named(text: string, find: () => Promise<PodmanSource>, record: ImageRecord | undefined): Promise<PodmanSource | undefined> {
  try {
    return await find();
  } catch (error) {
    if (record !== undefined && error instanceof ImageError && error.code === "image-not-found" && error.reference === text)
      return undefined;
    throw error;
  }
}

async function open(
  reference: Extract<Reference, { kind: "containers-storage" }>,
  host: Platform,
  options: PodmanOptions,
): Promise<PodmanSource> {
  return (await import("./containers/source.js")).openPodman(reference, host, options);
}

/** Throws where only podman can have had an image that is wanted and incomplete. */
export function refuseGone(reference: Reference, record: ImageRecord | undefined): void {
  const only = reference.kind === "containers-storage" || (reference.kind === "registry" && reference.host === LOCALHOST);
  if (!only || record?.origin === undefined) return;
  const hint = "Build or pull it again with podman, or change the pod's image.";
  throw new ImageError("image-not-found", reference.text, `${reference.text}: it was podman's, and podman has removed it`, hint);
}
