// Manifest lists (indexes): several images, one a platform, under one name; made in the store, and pushed from it. Implemented by host/image/lists/.
import type { CopyWishes } from "./image-copy.js";

/** For which machine an image is, as an index says it (OCI image-spec 1.1, image-index.md). */
export interface ListPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  readonly features?: readonly string[];
}

export interface ListEntry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: ListPlatform;
  readonly annotations: Readonly<Record<string, string>>;
  /** Where it is to be had when the list is pushed: `docker://HOST/REPOSITORY@DIGEST`, `store:REFERENCE`. */
  readonly source: string;
}

export interface ManifestList {
  readonly reference: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly entries: readonly ListEntry[];
}

/** What is said of an entry instead of what its image or index says; annotations are added. */
export interface EntryWords {
  readonly platform?: Partial<ListPlatform>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** All throw ImageError: image-not-found, image-store, and what a registry brings. Every change is one step: no reader sees half of it. */
export interface ImageLists {
  /** undefined where there is none. */
  get(reference: string): Promise<ManifestList | undefined>;
  /** The index as it would be pushed. */
  index(reference: string): Promise<Uint8Array>;
  /** An empty one; `amend`: one that is there stays as it is. Throws image-bad where there is one already. */
  create(reference: string, options: { readonly amend: boolean; readonly annotations: Readonly<Record<string, string>> }): Promise<void>;
  /**
   * Adds the image that `docker://…` or `store:REFERENCE` names; of an index the one for the platform `choose`, or all. One that is there already is
   * said anew. Returns the digests.
   */
  add(
    reference: string,
    place: string,
    options: { readonly all: boolean; readonly choose?: CopyWishes["platform"]; readonly words: EntryWords },
  ): Promise<readonly string[]>;
  /** Says more of an entry (its digest, or 12 hex digits of it), or without one of the list itself. */
  annotate(reference: string, entry: string | undefined, words: EntryWords): Promise<void>;
  /** Takes an entry out; its digest. */
  drop(reference: string, entry: string): Promise<string>;
  /** False when there was none. */
  remove(reference: string): Promise<boolean>;
}
