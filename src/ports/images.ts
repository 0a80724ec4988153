// Images: looked at for planning, had for applying. Implemented by host/image/.
import type { ImageFacts } from "../base/facts.js";

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/** Why an image could not be had; `code` is stable: image-not-found, image-unauthorized, image-unreachable, image-digest-mismatch, image-bad, image-refused (a registry takes it not), image-no-platform, image-store (this machine: disk, podrt, locks). */
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

/** Read-only half: writes nothing, not even a cache. */
export interface ImageReader {
  /**
   * What the image is, from the store where policy lets that do (IfNotPresent, Never), else from its source: the
   * manifest and configuration only, never a layer. Throws ImageError.
   */
  inspect(reference: string, policy: PullPolicy): Promise<ImageFacts>;
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
  /** Downloads and unpacks what is missing; complete and verified when it returns. Safe to be killed and repeated. Throws ImageError. */
  ensure(facts: ImageFacts, progress: (step: PullProgress) => void): Promise<void>;
}

/** True for ImageError, also one made by another copy of this module in a split bundle. */
export function isImageError(error: unknown): error is ImageError {
  return error instanceof Error && error.name === "ImageError";
}
