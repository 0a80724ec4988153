// The store as a source of whole images, for save, push and copy.
//
// Layers are unpacked once and their compressed blobs thrown away, so of each layer the store has
//   - its tar, byte for byte, by its recipe (repack.ts): the diff_id is exact, and so is the configuration, the image's id;
//   - its blob as it came, only where it is kept: by the setting keepBlobs, or because there can be no recipe.
// resolve() gives the image under its own manifest when every blob that manifest names can be given, and else under one in which the layers
// that cannot are plain tars (digest = diff_id); `original` is then what the manifest of before said of each, which who writes to a
// registry may find there already. What is given is always what the returned descriptors say, or an error at its end.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ImageError } from "../../ports/images.js";
import { HelperError } from "./failure.js";
import { isObject, type Json, parseJson } from "./json.js";
import { type Descriptor, parseConfiguration, parseManifest } from "./manifest.js";
import type { Platform } from "./platform.js";
import { Altered, layerTar, type Repacker } from "./repack.js";
import { digestOf } from "./resolve.js";
import type { ImageSource, Resolved } from "./source.js";
import { exists, type ImageRecord } from "./store.js";

const PIECE = 256 * 1024;
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const PLAIN = { oci: "application/vnd.oci.image.layer.v1.tar", docker: "application/vnd.docker.image.rootfs.diff.tar" };

export interface StoredResolved extends Resolved {
  /** True when the manifest is the one the image was pulled under. */
  readonly exact: boolean;
  /** The layers of that manifest, in the same order. */
  readonly original: readonly Descriptor[];
}

export class StoredSource implements ImageSource {
  readonly remote = false;
  readonly #repacker: Repacker;
  readonly #record: ImageRecord;
  readonly #host: Platform;

  /** `host` is only what the configuration is checked against; hold the store's lock (shared) while the source is used. */
  constructor(repacker: Repacker, record: ImageRecord, host: Platform) {
    this.#repacker = repacker;
    this.#record = record;
    this.#host = host;
  }

  get #text(): string {
    return this.#record.facts.reference;
  }

  async current(): Promise<string> {
    return this.#record.named;
  }

  /** The manifest it was pulled under. Throws ImageError image-store where it is missing. */
  ownManifest(): Promise<Uint8Array> {
    return this.#blob(this.#record.facts.digest, "manifest");
  }

  /** With `digest`, the image must still be that. Throws ImageError image-store where something is missing. */
  async resolve(digest?: string): Promise<StoredResolved> {
    const { facts, configDigest, named } = this.#record;
    if (digest !== undefined && digest !== facts.digest)
      throw this.#fault("image-not-found", `it is ${facts.digest} by now, not ${digest}`);
    const manifest = await this.#blob(facts.digest, "manifest");
    const configBytes = await this.#blob(configDigest, "configuration");
    const parsed = parseManifest(manifest, undefined, this.#text);
    if (parsed.kind !== "image") throw this.#fault("image-store", "its manifest is an index");
    const configuration = parseConfiguration(configBytes, parsed.layers.length, this.#host, this.#text);
    const rest = { configDigest, configBytes, configuration, original: parsed.layers };
    const layers = await Promise.all(parsed.layers.map((layer, i) => this.#available(layer, configuration.diffIds[i] as string)));
    if (layers.every((layer, i) => layer === parsed.layers[i]))
      return { ...rest, named, digest: facts.digest, manifest, layers, exact: true };
    const bytes = withLayers(manifest, parsed.layers, layers);
    return { ...rest, named: digestOf(bytes), digest: digestOf(bytes), manifest: bytes, layers, exact: false };
  }

  async *layer(layer: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { store } = this.#repacker;
    const blob = store.blob(layer.digest);
    const kept = await exists(blob);
    if (!kept && !this.#record.facts.layers.includes(layer.digest))
      throw this.#fault("image-store", `the blob ${layer.digest} is not kept`);
    try {
      const pieces = kept ? createReadStream(blob, { start: from, highWaterMark: PIECE }) : layerTar(this.#repacker, layer.digest, from);
      for await (const piece of pieces as AsyncIterable<Uint8Array>) {
        signal.throwIfAborted();
        yield piece;
      }
    } catch (error) {
      if (error instanceof Altered) throw this.#fault("image-store", `the layer ${layer.digest} is damaged: ${error.message}`, error);
      if (error instanceof HelperError) throw this.#fault("image-store", error.message, error);
      throw error;
    }
  }

  /** The descriptor under which a layer can be given: its own, or that of its tar. */
  async #available(layer: Descriptor, diffId: string): Promise<Descriptor> {
    const { store } = this.#repacker;
    const kept = await stat(store.blob(layer.digest)).catch(() => undefined);
    if (kept?.size === layer.size) return layer;
    const note = await store.note(diffId);
    if (!(await exists(store.layer(diffId)))) throw this.#fault("image-store", `its layer ${diffId} is not there`);
    if (note?.recipe !== true || !(await exists(store.recipe(diffId))))
      throw this.#fault("image-store", `of its layer ${diffId} nothing is remembered to pack it again with`);
    if (layer.digest === diffId) return layer;
    return plainLayer(layer, diffId, note.size);
  }

  async #blob(digest: string, what: string): Promise<Uint8Array> {
    const bytes = await this.#repacker.store.readBlob(digest);
    if (bytes === undefined) throw this.#fault("image-store", `its ${what} ${digest} is not in the store, or damaged`);
    return bytes;
  }

  #fault(code: string, why: string, cause?: unknown): ImageError {
    return new ImageError(code, this.#text, `${this.#text}: ${why}`, "podgen image fsck --repair fetches anew what is damaged.", cause);
  }
}

/** The descriptor of a layer's tar, of the family that `layer` is of. */
export function plainLayer(layer: Descriptor, diffId: string, size: number): Descriptor {
  return { mediaType: layer.mediaType.startsWith("application/vnd.docker.") ? PLAIN.docker : PLAIN.oci, digest: diffId, size };
}

/** The manifest with other layers; what else it says stays, but what it says of a layer's compression. */
export function withLayers(manifest: Uint8Array, before: readonly Descriptor[], layers: readonly Descriptor[]): Uint8Array {
  const json = parseJson(manifest);
  const fields = isObject(json) ? json : {};
  const list = Array.isArray(fields["layers"]) ? fields["layers"] : [];
  const changed = list.map((old: Json, i): Json => (layers[i] === before[i] ? old : { ...(layers[i] as Descriptor) }));
  const mediaType = typeof fields["mediaType"] === "string" ? {} : { mediaType: oldType(fields) };
  return Buffer.from(JSON.stringify({ ...fields, ...mediaType, layers: changed }));
}

/** Older OCI manifests name no type of their own. */
function oldType(manifest: { readonly [key: string]: Json }): string {
  const config = manifest["config"];
  const docker = isObject(config) && String(config["mediaType"]).startsWith("application/vnd.docker.");
  return docker ? DOCKER : "application/vnd.oci.image.manifest.v1+json";
}
