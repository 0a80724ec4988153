// Images that are copied from one place to another, past the store. Implemented by host/image/copy/.
import type { Credentials } from "../base/registry-login.js";
import type { PullProgress } from "./images.js";

/** A step of one blob's way; `layer` is the digest it has at its source. */
export type CopyProgress = PullProgress;

/** How a registry is spoken to, where the command says so instead of the user's files. */
export interface Side {
  /** For that registry's own host; tried before the user's logins. */
  readonly login?: Credentials;
  /** The file with logins, instead of the user's own; absolute. */
  readonly authFile?: string;
  /** false: any certificate, or plain HTTP; true: TLS, also on loopback, and a valid certificate. */
  readonly verify?: boolean;
}

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
  /** Leave the source's signatures behind; else they go along, and a target or a change that they do not stand is refused. */
  readonly removeSignatures?: boolean;
  readonly from?: Side;
  readonly to?: Side;
  /** An index without its images, which the target has to have. */
  readonly indexOnly?: boolean;
  /** Nothing is copied, or asked about layers, where the target means that very manifest already. */
  readonly unlessSame?: boolean;
}

/** What a name means now: a manifest or an index. */
export interface CopiedManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** It was there before (unlessSame). */
  readonly same?: boolean;
}

/** What an image is, without its layers. */
export interface Inspected {
  /** Of what the name means: an index, or the image's manifest. */
  readonly digest: string;
  readonly manifest: Uint8Array;
  /** The image of one platform. */
  readonly image?: {
    readonly digest: string;
    readonly manifest: Uint8Array;
    readonly config: Uint8Array;
    readonly layers: readonly CopiedManifest[];
  };
}

/** A repository that a search found. */
export interface FoundImage {
  readonly registry: string;
  /** Whole, without a tag. */
  readonly name: string;
  readonly description?: string;
  readonly stars?: number;
  readonly official?: boolean;
}

/**
 * Places are written with their transport: `docker://HOST/REPOSITORY[:TAG][@DIGEST]`, `oci:/FOLDER[:NAME]`, `oci-archive:/FILE[:NAME]`,
 * `docker-archive:/FILE[:NAME]`, `dir:/FOLDER`, `store:REFERENCE` (written to: one image, as it is, for this machine), and, to be read, `list:REFERENCE`, a manifest list of the store; paths are absolute. All throw ImageError; image-refused is the target's no.
 */
export interface ImageCopies {
  /** Copies an image; where it goes nothing counts before all of it is there. */
  copy(from: string, to: string, wishes: CopyWishes, progress: (step: CopyProgress) => void): Promise<CopiedManifest>;
  /** With `raw` what the name means and no more; else also the image of one platform. No layer is read. */
  inspect(place: string, options: { readonly platform?: CopyWishes["platform"]; readonly raw: boolean }): Promise<Inspected>;
  /** All tags of the repository of `docker://HOST/REPOSITORY…`. */
  tags(place: string, side?: Side): Promise<readonly string[]>;
  /** The names of the images of `oci:/FOLDER`. */
  names(place: string): Promise<readonly string[]>;
  /** Removes a tag, or a manifest by its digest, from its registry; the digest that went. */
  remove(place: string): Promise<string>;
  /** The registries that names without one are looked for in (unqualified-search-registries of registries.conf), in their order. */
  searched(): Promise<readonly string[]>;
  /** At most `limit` repositories of a registry that fit a term. */
  search(registry: string, term: string, limit: number): Promise<readonly FoundImage[]>;
}
