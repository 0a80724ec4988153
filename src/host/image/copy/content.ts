// What a copy reads from and writes to: manifests and blobs by digest, whatever lies behind them.
import type { Descriptor } from "../manifest.js";
import type { RawManifest } from "../resolve.js";
import type { Found, Signature } from "../signatures/signature.js";

/** The two families of media types a manifest may be of. */
export type Form = "oci" | "docker";

/** Where an image is, all platforms of it. */
export interface Content {
  /** As the user named it, for messages. */
  readonly text: string;
  /** A registry's repository: blobs can be mounted from it into another of the same registry. */
  readonly repository?: { readonly host: string; readonly name: string };
  /** The manifest or index that the name means, as it is. Throws ImageError. */
  top(): Promise<RawManifest>;
  /** One by its digest, checked. Throws ImageError. */
  manifest(digest: string): Promise<RawManifest>;
  /** The bytes of a configuration or layer from an offset on, in order, not checked. Throws ImageError. */
  layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The image of that manifest as it once was, where it is given with other layers now (unpacked ones, in the same order): the target may have those still. */
  before?(manifest: string): Promise<{ readonly manifest: RawManifest; readonly layers: readonly Descriptor[] } | undefined>;
  /** What is kept of signatures of one manifest; absent: this kind of place has none. Throws ImageError. */
  signatures?(digest: string): Promise<Found>;
  /** The manifest it is kept under, where top() gives it with other layers. */
  itself?(): Promise<RawManifest>;
  /** True where top() is one of several images that the name means. */
  readonly list?: boolean;
  /** Lets go of what was held while it was read. */
  close?(): Promise<void>;
}

/** The bytes of one blob on their way; every byte is hashed as it goes by. */
export interface Body {
  /** Known before it is read; absent where it is compressed anew. */
  readonly known?: Descriptor;
  /** The blob from an offset on; may be called again after a failure. The end is only reached when all is right, else it throws ImageError. */
  open(from: number): AsyncIterable<Uint8Array>;
  /** What it was; only once it was read to its end. */
  result(): { readonly digest: string; readonly size: number };
}

/** Where an image goes. Nothing of it counts before commit(). */
export interface Sink {
  readonly text: string;
  /** Kinds of manifests it can hold. */
  readonly forms: readonly Form[];
  /** How layers must be, where that is not as they are: `plain` uncompressed; `packed` compressed, uncompressed ones with gzip. */
  readonly layers?: "plain" | "packed";
  /** Only images of one platform, no index. */
  readonly single?: boolean;
  /** The digest it has to be, where the name says one. */
  readonly digest?: string | undefined;
  /** Blobs at once. */
  readonly parallel: number;
  /** True when the name means that manifest already: then all it names is there, too. Absent: it is always written anew. */
  holds?(digest: string): Promise<boolean>;
  /** True when the blob is there already, or could be brought there without its bytes. */
  has(blob: Descriptor, from: Content): Promise<boolean>;
  /** Takes a blob, whole or not at all. Throws ImageError. */
  put(body: Body, signal: AbortSignal): Promise<void>;
  /** Takes a manifest, whose blobs (and manifests) are all there; `top`: it is what the name will mean. */
  manifest(manifest: Required<RawManifest>, digest: string, top: boolean): Promise<void>;
  /**
   * Where signatures go to: what it gives is called with the digest of their manifest once that is there. Absent: this kind of place has
   * none. Throws ImageError, before anything is written, where these cannot be put. `top` as for manifest().
   */
  signer?(signatures: readonly Signature[], top: boolean): Promise<(digest: string) => Promise<void>>;
  /** Makes it count, at once. */
  commit(): Promise<void>;
  /** Takes back what did not get so far. Never throws. */
  abort(): Promise<void>;
}
