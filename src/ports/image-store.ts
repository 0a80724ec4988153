// The store of images, for people who look after it: listed, named, removed, mended, written out. Implemented by host/image/.
import type { Committed, CommitWish } from "./image-commit.js";
import type { PullProgress } from "./images.js";

/** An image of the store under one of its names. */
export interface StoredImage {
  readonly reference: string;
  /** Of the manifest for this platform, `sha256:…`. */
  readonly digest: string;
  /** Of its configuration: what podman calls the image's id. */
  readonly configDigest: string;
  /** RFC 3339, as the configuration says; absent where it does not. */
  readonly created?: string;
  /** Bytes of its layers as they travel, compressed as a rule; 0 where the manifest is damaged. */
  readonly size: number;
  /** diff_ids, bottom first. */
  readonly layers: readonly string[];
  /** Its layers lie in podman's store, as far as podgen did not have them already. */
  readonly origin?: "containers-storage";
}

/** One step of an image's making. */
export interface HistoryStep {
  /** RFC 3339. */
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
  /** diff_id of the layer it made. */
  readonly layer?: string;
  /** Bytes of that layer's tar. */
  readonly size?: number;
}

export interface StorageUse {
  readonly count: number;
  readonly bytes: number;
  /** Of these bytes, what prune would free. */
  readonly freeable: number;
}

export interface Usage {
  readonly layers: StorageUse;
  /** Manifests, configurations, and layers' blobs where they are kept. */
  readonly blobs: StorageUse;
  /** Downloads that were cut, kept to go on from. */
  readonly downloads: StorageUse;
  /** How many layers are of unknown size, not counted in `bytes`: unpacked by a podgen that did not remember it. */
  readonly unknown: number;
  readonly images: readonly { readonly reference: string; readonly digest: string; readonly unique: number; readonly shared: number }[];
}

/** What is wrong with the store, or was. */
export interface Finding {
  /**
   * `record`, `manifest`, `configuration`, `layer`, `blob`: damaged or missing. `leftover`: of a podgen that was killed. `unneeded`: of no
   * image (prune frees it). `unknown`: nothing is remembered to compare it with.
   */
  readonly kind: "record" | "manifest" | "configuration" | "layer" | "blob" | "leftover" | "unneeded" | "unknown";
  /** A digest, or a path below the store. */
  readonly what: string;
  readonly detail: string;
  /** Names of the images it is part of. */
  readonly images: readonly string[];
  /** `damage` makes fsck fail; `note` is for information. */
  readonly weight: "damage" | "note";
  /** What was done about it, with repair. */
  readonly mended?: string;
}

export interface FsckWishes {
  /** Also read every byte of every layer and kept blob. */
  readonly deep: boolean;
  readonly repair: boolean;
  /** Digests of the images pods need. */
  readonly pinned: readonly string[];
  /** Digests of images that pods run of at this moment, with their pods: their layers are not replaced under them. */
  readonly running: ReadonlyMap<string, readonly string[]>;
}

/** An image inside an archive. */
export interface ArchivedImage {
  /** `docker-archive:/file:NAME`, `oci-archive:/file:NAME`, as a source. */
  readonly source: string;
  /** The names it has there; may be none. */
  readonly names: readonly string[];
}

export type ArchiveFormat = "oci-archive" | "docker-archive";

/** Read-only half. */
export interface ImageStoreReader {
  /** Every image under every name, by name. */
  list(): Promise<readonly StoredImage[]>;
  /** Newest step first. */
  history(reference: string): Promise<readonly HistoryStep[]>;
  /** `pinned`: digests of the images pods need. */
  usage(pinned: readonly string[]): Promise<Usage>;
  /** The layers' folders of an image, bottom first; throws ImageError where one is missing. */
  folders(reference: string): Promise<readonly string[]>;
}

/** What pods need of the store. */
export interface Needs {
  /** Manifest digests of running and installed pods: kept, also when their reference has moved on to another image. */
  readonly pinned: readonly string[];
  /** Copies of layers for user namespaces that installed pods name; absent: all stay. */
  readonly shifted?: readonly string[];
}

/** Every method throws ImageError (ports/images.ts). */
export interface ImageStore extends ImageStoreReader {
  /** Gives an image of the store one more name; an image that had the name loses it. */
  tag(reference: string, name: string): Promise<void>;
  /** Takes a name away; what only it needed goes with the next prune. False when there was none. */
  untag(reference: string): Promise<boolean>;
  /**
   * Removes what neither a name nor a pinned digest needs, and copies of layers for user namespaces that are not of these names; waits
   * some seconds for pulls and applies that are under way. undefined when they took longer. `needs` is asked while nobody else works on
   * the store, and may untag there what it finds that nobody needs; it must not call what takes the store's lock.
   */
  prune(
    needs: () => Promise<Needs>,
  ): Promise<{ readonly layers: readonly string[]; readonly blobs: number; readonly bytes: number } | undefined>;
  fsck(wishes: FsckWishes): Promise<readonly Finding[]>;
  /** Writes images into one archive: pieces of the file, in order. `names`: what each is called in it. */
  save(
    images: readonly { readonly reference: string; readonly names: readonly string[] }[],
    format: ArchiveFormat,
  ): AsyncIterable<Uint8Array>;
  /** What is in an archive, of either format. */
  contents(path: string): Promise<readonly ArchivedImage[]>;
  /** Brings an image of an archive into the store under these names; returns its digest. */
  load(image: ArchivedImage, names: readonly string[], progress: (step: PullProgress) => void): Promise<string>;
  /** An image of a container's own image and what it has changed of its root file system since it was started. */
  commit(wish: CommitWish): Promise<Committed>;
  /**
   * Mounts an image of the store to be looked at, in our own mount namespace, which must be one of `podgen unshare`; the folder. Mounted
   * once more, it is the same. What is mounted anywhere is not pruned.
   */
  mount(reference: string): Promise<string>;
  /** False when it is not mounted here. `force`: also while somebody is in it. */
  unmount(digest: string, force: boolean): Promise<boolean>;
  /** What is mounted here: digests of manifests, with the folders. */
  mounts(): Promise<readonly { readonly digest: string; readonly folder: string }[]>;
}
