// An image of podgen's own store as something to copy: as it was pulled where its blobs are kept, else with plain layers.
import { ImageError } from "../../../ports/images.js";
import { acquire, type Lock } from "../lock.js";
import type { Descriptor } from "../manifest.js";
import type { Platform } from "../platform.js";
import { parseReference } from "../reference.js";
import type { Repacker } from "../repack.js";
import type { RawManifest } from "../resolve.js";
import type { ImageRecord } from "../store.js";
import { type StoredResolved, StoredSource } from "../stored.js";
import type { Content } from "./content.js";

const LOCK_MS = 10_000;

export class StoreContent implements Content {
  readonly text: string;
  /** Where it came from may have its layers still: in the same registry they are mounted from there. */
  readonly repository?: { readonly host: string; readonly name: string };
  readonly #source: StoredSource;
  readonly #resolved: StoredResolved;
  readonly #lock: Lock;

  private constructor(reference: string, source: StoredSource, resolved: StoredResolved, lock: Lock) {
    this.text = `store:${reference}`;
    this.#source = source;
    this.#resolved = resolved;
    this.#lock = lock;
    const parsed = parseReference(reference);
    if (parsed.kind === "registry") this.repository = { host: parsed.host, name: parsed.repository };
  }

  /** The image of that name, with a hold on the store until close(). Throws ImageError. */
  static open(repacker: Repacker, reference: string, platform: Platform): Promise<StoreContent> {
    return StoreContent.ofRecord(repacker, reference, () => repacker.store.record(reference), platform);
  }

  /** The image of a record that is read once the store is held. Throws ImageError. */
  static async ofRecord(
    repacker: Repacker,
    reference: string,
    find: () => Promise<ImageRecord | undefined>,
    platform: Platform,
  ): Promise<StoreContent> {
    const { store } = repacker;
    const end = Date.now() + LOCK_MS;
    const lock = await acquire(store.storeLock, "shared", 1, () => Date.now() < end);
    if (lock === undefined) throw new ImageError("image-store", reference, `${reference}: the store is locked for pruning and stays so`);
    try {
      const record = await find();
      if (record === undefined)
        throw new ImageError("image-not-found", reference, `${reference} is not in the store`, "podgen image ls lists what is.");
      const source = new StoredSource(repacker, record, platform);
      return new StoreContent(reference, source, await source.resolve(), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async top(): Promise<RawManifest> {
    return { bytes: this.#resolved.manifest };
  }

  async manifest(): Promise<RawManifest> {
    return this.top();
  }

  async *layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (blob.digest === this.#resolved.configDigest) yield this.#resolved.configBytes.subarray(from);
    else yield* this.#source.layer(blob, from, signal);
  }

  async before(): Promise<{ readonly manifest: RawManifest; readonly layers: readonly Descriptor[] } | undefined> {
    if (this.#resolved.exact) return undefined;
    return { manifest: { bytes: await this.#source.ownManifest() }, layers: this.#resolved.original };
  }

  close(): Promise<void> {
    return this.#lock.release();
  }
}
