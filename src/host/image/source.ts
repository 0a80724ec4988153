// Where an image comes from: what registry, layout and archive have in common.
import type { ImageFacts } from "../../base/facts.js";
import type { Configuration, Descriptor } from "./manifest.js";

/** An image as its source describes it: manifest and configuration, verified against their digests. */
export interface Resolved {
  /** Digest of what the reference names: the manifest itself, or the index it was chosen from. */
  readonly named: string;
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly configDigest: string;
  readonly configBytes: Uint8Array;
  readonly layers: readonly Descriptor[];
  readonly configuration: Configuration;
}

/** A layer that lies unpacked on this machine already, and belongs to somebody else. */
export interface LayerPlace {
  readonly folder: string;
  /** Bytes of its tar. */
  readonly size: number;
  /** Its recipe (native/lib/recipe.h), uncompressed, in pieces. */
  recipe(): AsyncIterable<Uint8Array>;
}

export interface ImageSource {
  /** True when the bytes come over a network: what arrived is then kept for a resume. */
  readonly remote: boolean;
  /** Digest of what the reference names at this moment, without its content. */
  current(): Promise<string>;
  /** The image the reference names; with `digest`, exactly that manifest. Throws ImageError. */
  resolve(digest?: string): Promise<Resolved>;
  /** The bytes of a layer from an offset on, in order. Not verified: who reads them does that. Throws ImageError. */
  layer(layer: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** There where a policy wants signatures: throws ImageError unless this manifest of an image has them. What resolve() gives was asked already. */
  admit?(manifest: Uint8Array): Promise<void>;
  /** Where a layer can be used as it lies, without a copy. Throws ImageError. */
  place?(diffId: string): Promise<LayerPlace | undefined>;
}

/** What the planner is told. */
export function factsOf(reference: string, resolved: Resolved): ImageFacts {
  const { diffIds, config } = resolved.configuration;
  return { reference, digest: resolved.digest, layers: diffIds, config };
}
