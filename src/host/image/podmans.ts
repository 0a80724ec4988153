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
 * localhost's; what podgen has pulled itself comes before podman's; and so does the registry where the policy asks more of the name there
 * (forRegistryOnly). Throws ImageError.
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
    const found = await lookUp({ name, ...(digest === undefined ? {} : { digest }) }, text, host, options);
    return found !== undefined && (await forRegistryOnly(reference, options.env)) ? undefined : found;
  } catch (error) {
    // What cannot be used of podman's is nothing to stop for, where a registry has it too.
    if (!built && error instanceof ImageError) return undefined;
    throw error;
  }
}

/**
 * True where the policy rejects a registry's name, or wants a signature for it: podman's copy, which anybody may have tagged so and which
 * shows no signature, is then no answer to that name. Under containers-storage: the scopes of podman's store hold alone, as the reference
 * asks for that very place. What has localhost for its registry has no other place. Throws ImageError image-config.
 */
export async function forRegistryOnly(reference: Reference, env: PodmanOptions["env"]): Promise<boolean> {
  if (reference.kind !== "registry" || reference.host === LOCALHOST) return false;
  const { demandFor } = await import("./policy/check.js");
  try {
    return (await demandFor(reference, env)) !== undefined;
  } catch (error) {
    if (error instanceof ImageError && error.code === "image-refused") return true;
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
