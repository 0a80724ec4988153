// A container's changes as an image of the store. Implemented by host/image/commit.ts.
import type { ImageChange } from "../base/image-change.js";

export interface CommitWish {
  /** The container, `web/app`, for messages and the history. */
  readonly container: string;
  /** Folder of its bundle. */
  readonly bundle: string;
  /** Manifest digest of the image it was applied with. */
  readonly image: string;
  /** The io.podgen.digest it was started from; absent where it was not started since the boot. */
  readonly started?: string;
  /** Its first process, where it runs. */
  readonly running?: { readonly pid: number; readonly unit: string };
  /** Nothing of it runs while it is read. */
  readonly freeze: boolean;
  readonly name: string;
  readonly format: "oci" | "docker";
  /** Seconds since the epoch; no file is younger than that when it is `exact`. */
  readonly time: number;
  readonly exact: boolean;
  readonly author?: string;
  readonly message?: string;
  readonly changes: readonly ImageChange[];
  /** The changes as they were written, for the history. */
  readonly words: readonly string[];
}

export interface Committed {
  readonly digest: string;
  readonly configDigest: string;
  /** diff_id of the new layer. */
  readonly layer: string;
  /** Bytes of its tar. */
  readonly size: number;
  /** What could not be put into the layer. */
  readonly warnings: readonly string[];
}
