// A manifest list as something to copy: its index, and each image from where it is.
import { ImageError } from "../../../ports/images.js";
import type { Content } from "../copy/content.js";
import { partsOf } from "../copy/convert.js";
import type { Descriptor } from "../manifest.js";
import { digestOf, type RawManifest } from "../resolve.js";
import type { Found } from "../signatures/signature.js";
import { indexOf, type ListRecord, type RecordedEntry } from "./record.js";

/** Opens what an entry is read from: each by its own name, as a policy may ask for that. */
export type OpenEntry = (entry: RecordedEntry) => Promise<Content>;

export class ListContent implements Content {
  readonly text: string;
  readonly #record: ListRecord;
  readonly #open: OpenEntry;
  readonly #original: boolean;
  /** By the entry's digest. */
  readonly #opened = new Map<string, Promise<Content>>();
  /** Who has a manifest or a blob; filled as manifests are read. */
  readonly #owners = new Map<string, Content>();

  /**
   * `original`: the index alone is wanted, with the digests the images were added by. Else an image of the store stands in it as it can be
   * given, with plain layers where their blobs are not kept.
   */
  constructor(record: ListRecord, open: OpenEntry, original: boolean) {
    this.text = record.reference;
    this.#record = record;
    this.#open = open;
    this.#original = original;
  }

  async top(): Promise<RawManifest> {
    const entries = this.#original ? this.#record.entries : await Promise.all(this.#record.entries.map((entry) => this.#available(entry)));
    return indexOf({ ...this.#record, entries });
  }

  async manifest(digest: string): Promise<RawManifest> {
    const content = this.#owners.get(digest);
    if (content === undefined) throw new ImageError("image-bad", this.text, `${this.text}: no image of it has the manifest ${digest}`);
    const raw = await content.manifest(digest);
    const parts = partsOf(raw, content.text);
    const parted = parts.kind === "index" ? parts.entries : [parts.config, ...parts.layers];
    for (const part of parted) this.#owners.set(part.digest, content);
    return raw;
  }

  layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const content = this.#owners.get(blob.digest);
    if (content === undefined) throw new ImageError("image-bad", this.text, `${this.text}: no image of it has the blob ${blob.digest}`);
    return content.layer(blob, from, signal);
  }

  /** Those of its images; the list itself is made here, and nobody has signed it. */
  async signatures(digest: string): Promise<Found> {
    return (await this.#owners.get(digest)?.signatures?.(digest)) ?? { signatures: [], looked: [] };
  }

  async before(manifest: string): ReturnType<NonNullable<Content["before"]>> {
    return this.#owners.get(manifest)?.before?.(manifest);
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    for (const one of opened) if (one.status === "fulfilled") await one.value.close?.();
  }

  /** The entry as its image can be given. */
  async #available(entry: RecordedEntry): Promise<RecordedEntry> {
    const opened = this.#opened.get(entry.digest) ?? this.#open(entry);
    this.#opened.set(entry.digest, opened);
    const content = await opened;
    if (entry.stored === undefined) {
      this.#owners.set(entry.digest, content);
      return entry;
    }
    const raw = await content.top();
    const digest = digestOf(raw.bytes);
    this.#owners.set(digest, content);
    return { ...entry, digest, size: raw.bytes.length };
  }
}
