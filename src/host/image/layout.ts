// An image in the OCI image layout (image-spec, image-layout.md): in a folder, or in a tar of one, which is read in place.
import { ImageError } from "../../ports/images.js";
import type { Content } from "./copy/content.js";
import { type Files, filesOf } from "./files.js";
import { isObject, parseJson, printable } from "./json.js";
import { choosePlatform, type Descriptor, INDEX_TYPES, type IndexEntry, MANIFEST_MAX, parseManifest } from "./manifest.js";
import type { Platform } from "./platform.js";
import { hexOf, type LayoutReference } from "./reference.js";
import { checkDigest, mismatch, type RawManifest, resolveImage } from "./resolve.js";
import type { ImageSource, Resolved } from "./source.js";

const REF_NAME = "org.opencontainers.image.ref.name";

export class LayoutSource implements ImageSource, Content {
  readonly remote = false;
  readonly #reference: LayoutReference;
  readonly #host: Platform;
  readonly #files: Files;

  constructor(reference: LayoutReference, host: Platform) {
    this.#reference = reference;
    this.#host = host;
    this.#files = filesOf(reference.path, reference.kind === "oci-archive");
  }

  get text(): string {
    return this.#reference.text;
  }

  async current(): Promise<string> {
    return (await this.#entry()).digest;
  }

  /** Several entries of one name, an image for several platforms, are given as an index of them. */
  async top(): Promise<RawManifest> {
    const entries = await this.#entries();
    if (entries.length === 1) return this.manifest((entries[0] as IndexEntry).digest);
    const manifests = entries.map(({ annotations: _, ...entry }) => entry);
    const type = INDEX_TYPES[0] as string;
    return { bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests })), type };
  }

  async resolve(digest?: string): Promise<Resolved> {
    const wanted = digest ?? (await this.#entry()).digest;
    const fetcher = { manifest: (d: string) => this.manifest(d), blob: (d: Descriptor) => this.#blob(d.digest, d.size) };
    return resolveImage(await this.manifest(wanted), fetcher, this.#host, this.#reference.text);
  }

  async *layer(layer: Descriptor, from: number): AsyncGenerator<Uint8Array> {
    const name = blobName(layer.digest);
    try {
      yield* this.#files.stream(name, from);
    } catch (error) {
      throw this.#unreadable(name, error as NodeJS.ErrnoException);
    }
  }

  /** The entry of index.json the reference means. */
  async #entry(): Promise<IndexEntry> {
    const found = await this.#entries();
    // Several of one name are one image for several platforms.
    return found.length === 1 ? (found[0] as IndexEntry) : choosePlatform(found, this.#host, this.#reference.text);
  }

  /** The names of all its images, in the order of its index. */
  async names(): Promise<readonly string[]> {
    const index = parseManifest(await this.#read("index.json", MANIFEST_MAX, "image-not-found"), undefined, this.#reference.text);
    const entries = index.kind === "index" ? index.entries : [];
    return [...new Set(entries.flatMap((e) => e.annotations[REF_NAME] ?? []))];
  }

  /** All entries of the name that the reference means; one at least. */
  async #entries(): Promise<readonly IndexEntry[]> {
    const { kind, path, text, name } = this.#reference;
    const marker = await this.#read("oci-layout", MANIFEST_MAX, "image-not-found");
    const version = parseJson(marker);
    if (!isObject(version) || version["imageLayoutVersion"] !== "1.0.0") {
      throw new ImageError("image-bad", text, `${text}: ${path} is no OCI layout of version 1.0.0`);
    }
    const index = parseManifest(await this.#read("index.json", MANIFEST_MAX, "image-bad"), undefined, text);
    if (index.kind !== "index") throw new ImageError("image-bad", text, `${text}: its index.json is no index`);
    const found = name === undefined ? index.entries : index.entries.filter((e) => e.annotations[REF_NAME] === name);
    const names = [...new Set(index.entries.map((e) => e.annotations[REF_NAME]).filter((n) => n !== undefined))];
    const there = names.length === 0 ? "It has no named image." : `It has ${names.map(printable).join(", ")}.`;
    if (found.length === 0) {
      throw new ImageError("image-not-found", text, `${text}: ${path} has no image${name === undefined ? "" : ` named ${name}`}`, there);
    }
    if (new Set(found.map((e) => e.annotations[REF_NAME])).size > 1) {
      throw new ImageError("image-not-found", text, `${text}: ${path} has several images`, `${there} Write ${kind}:${path}:NAME.`);
    }
    return found;
  }

  async manifest(digest: string): Promise<RawManifest> {
    const bytes = await this.#blob(digest, MANIFEST_MAX);
    checkDigest(bytes, digest, "its manifest", this.#reference.text);
    return { bytes };
  }

  async #blob(digest: string, limit: number): Promise<Uint8Array> {
    return this.#read(blobName(digest), limit, "image-bad");
  }

  /** A whole file of at most `limit` bytes. */
  async #read(name: string, limit: number, absent: string): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#files.read(name, limit);
    } catch (error) {
      throw this.#unreadable(name, error as NodeJS.ErrnoException, absent);
    }
    if (bytes !== undefined) return bytes;
    throw mismatch(this.#reference.text, `${this.#files.shown(name)} is longer than ${limit} bytes`);
  }

  #unreadable(name: string, error: NodeJS.ErrnoException, absent = "image-bad"): ImageError {
    const { text, kind } = this.#reference;
    const path = this.#files.shown(name);
    const missing = error.code === "ENOENT" || error.code === "ENOTDIR";
    const why = error.code ?? printable(error.message);
    if (!missing) return new ImageError("image-bad", text, `${text}: ${path} cannot be read: ${why}`, undefined, error);
    const hint = `Check the path: it must be an OCI ${kind === "oci" ? "layout" : "archive"}, as skopeo copy … ${kind}:PATH makes it.`;
    return new ImageError(absent, text, `${text}: there is no ${path}`, hint, error);
  }
}

function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
