// The store of images, for people who look after it: listed, named, removed, mended, written out. Implemented by host/image/.

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
}

/** Read-only half. */
export interface ImageStoreReader {
  /** Every image under every name, by name. */
  list(): Promise<readonly StoredImage[]>;
}

export type ImageStore = ImageStoreReader;
