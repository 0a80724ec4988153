// Images that are copied from one place to another, past the store. Implemented by host/image/copy/.
import type { PullProgress } from "./images.js";

/** A step of one blob's way; `layer` is the digest it has at its source. */
export type CopyProgress = PullProgress;

export interface CopyWishes {
  /** All platforms of an index, and the index itself; else one. */
  readonly all: boolean;
  /** Which one; this machine's when absent. */
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant: string };
  /** The family of manifests to make; the source's when absent, as far as the target holds it. */
  readonly format?: "oci" | "docker";
  /** Fail rather than make a manifest of another digest. */
  readonly preserve: boolean;
  /** Compress all layers so; absent: as they are, but uncompressed ones go to a registry with gzip. */
  readonly compression?: "none" | "gzip" | "zstd";
  /** The compression's own. */
  readonly level?: number;
}

/** What a name means now: a manifest or an index. */
export interface CopiedManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Places are written with their transport: `docker://HOST/REPOSITORY[:TAG][@DIGEST]`, `oci:/FOLDER[:NAME]`, `oci-archive:/FILE[:NAME]`,
 * `docker-archive:/FILE[:NAME]`, `dir:/FOLDER`; paths are absolute. All throw ImageError; image-refused is the target's no.
 */
export interface ImageCopies {
  /** Copies an image; where it goes nothing counts before all of it is there. */
  copy(from: string, to: string, wishes: CopyWishes, progress: (step: CopyProgress) => void): Promise<CopiedManifest>;
}
