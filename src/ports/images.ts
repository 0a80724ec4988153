// Images: looked at for planning, had for applying. Implemented by host/image/.
import type { ImageFacts } from "../base/facts.js";
import type { RegistryLogin } from "../base/registry-login.js";
import type { UsernsMaps } from "../base/userns.js";

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/** Why an image could not be had; `code` is stable: image-not-found, image-unauthorized, image-unreachable, image-digest-mismatch, image-bad, image-no-platform, image-refused (blocked, by policy.json, or a registry takes it not), image-config (registries.conf, policy.json, certs.d are wrong), image-ids (the pod's user namespace has no room for its files), image-store (this machine: disk, podrt, locks). */
export class ImageError extends Error {
  readonly code: string;
  readonly reference: string;
  readonly hint: string | undefined;
  constructor(code: string, reference: string, message: string, hint?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ImageError";
    this.code = code;
    this.reference = reference;
    this.hint = hint;
  }
}

/** What a name without a registry stands for on this machine, as registries.conf says. */
export type ShortName =
  | { readonly kind: "settled"; readonly reference: string }
  /** `ask`: a person at a terminal is to choose. `tryAll`: where nobody can be asked the candidates are tried in their order. */
  | { readonly kind: "several"; readonly candidates: readonly string[]; readonly ask: boolean; readonly tryAll: boolean }
  | { readonly kind: "unknown" };

/** Read-only half: writes nothing, not even a cache. */
export interface ImageReader {
  /**
   * What the image is, from the store where policy lets that do (IfNotPresent, Never), else from its source: the
   * manifest and configuration only, never a layer. `logins` are tried before the user's own. Throws ImageError.
   */
  inspect(reference: string, policy: PullPolicy, logins?: readonly RegistryLogin[]): Promise<ImageFacts>;
  /** `nginx:1.27` or `team/app@sha256:…` to full references. Throws ImageError image-config. */
  longName(short: string): Promise<ShortName>;
  /** True when all layers are unpacked in the store and the image is recorded under this digest. */
  has(facts: ImageFacts): Promise<boolean>;
}

/** A step of a pull, for progress bars and plain lines. Bytes are compressed bytes. */
export interface PullProgress {
  readonly reference: string;
  readonly layer: string;
  readonly phase: "download" | "unpack" | "done" | "present";
  readonly bytes: number;
  readonly total: number;
}

export interface Images extends ImageReader {
  /**
   * Nothing is removed from the store until the function it gives is called: for who is about to record what pods need. Throws ImageError
   * image-store when something is being removed and that does not end.
   */
  hold(): Promise<() => Promise<void>>;
  /** Downloads and unpacks what is missing; complete and verified when it returns. Safe to be killed and repeated. Throws ImageError. */
  ensure(facts: ImageFacts, progress: (step: PullProgress) => void, logins?: readonly RegistryLogin[]): Promise<void>;
  /** Keeps what a person has chosen for a short name, where podman keeps it too. Throws ImageError. */
  remember(short: string, reference: string): Promise<void>;
  /**
   * Has copies of layers (diff_id -> name of the copy) whose files belong to the ids of a pod's own user namespace. Of callers who
   * hold the writer's lock until the manifest names them. Throws ImageError, image-ids where a file's owner is not in the maps.
   */
  shift(layers: ReadonlyMap<string, string>, maps: UsernsMaps): Promise<void>;
  /** Removes the copies but those of these names; later, when somebody is at work in the store. */
  dropShifted(kept: ReadonlySet<string>): Promise<void>;
}

/** True for ImageError, also one made by another copy of this module in a split bundle. */
export function isImageError(error: unknown): error is ImageError {
  return error instanceof Error && error.name === "ImageError";
}
