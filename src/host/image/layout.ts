// An image in a folder of the OCI image layout (image-spec, image-layout.md).
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../ports/images.js";
import { isObject, parseJson, printable } from "./json.js";
import { choosePlatform, type Descriptor, type IndexEntry, MANIFEST_MAX, parseManifest } from "./manifest.js";
import type { Platform } from "./platform.js";
import { hexOf, type LayoutReference } from "./reference.js";
import { checkDigest, mismatch, type RawManifest, resolveImage } from "./resolve.js";
import type { ImageSource, Resolved } from "./source.js";

const REF_NAME = "org.opencontainers.image.ref.name";

export class LayoutSource implements ImageSource {
  readonly remote = false;
  readonly #reference: LayoutReference;
  readonly #host: Platform;

  constructor(reference: LayoutReference, host: Platform) {
    this.#reference = reference;
    this.#host = host;
  }

  async current(): Promise<string> {
    return (await this.#entry()).digest;
  }

  async resolve(digest?: string): Promise<Resolved> {
    const wanted = digest ?? (await this.#entry()).digest;
    const fetcher = { manifest: (d: string) => this.#manifest(d), blob: (d: Descriptor) => this.#blob(d.digest, d.size) };
    return resolveImage(await this.#manifest(wanted), fetcher, this.#host, this.#reference.text);
  }

  async *layer(layer: Descriptor, from: number): AsyncGenerator<Uint8Array> {
    const path = this.#path(layer.digest);
    try {
      for await (const piece of createReadStream(path, { start: from, highWaterMark: 256 * 1024 })) yield piece as Uint8Array;
    } catch (error) {
      throw this.#unreadable(path, error as NodeJS.ErrnoException);
    }
  }

  /** The entry of index.json the reference means. */
  async #entry(): Promise<IndexEntry> {
    const { path, text, name } = this.#reference;
    const marker = await this.#read(join(path, "oci-layout"), MANIFEST_MAX, "image-not-found");
    const version = parseJson(marker);
    if (!isObject(version) || version["imageLayoutVersion"] !== "1.0.0") {
      throw new ImageError("image-bad", text, `${text}: ${path} is no OCI layout of version 1.0.0`);
    }
    const index = parseManifest(await this.#read(join(path, "index.json"), MANIFEST_MAX, "image-bad"), undefined, text);
    if (index.kind !== "index") throw new ImageError("image-bad", text, `${text}: its index.json is no index`);
    const found = name === undefined ? index.entries : index.entries.filter((e) => e.annotations[REF_NAME] === name);
    const names = [...new Set(index.entries.map((e) => e.annotations[REF_NAME]).filter((n) => n !== undefined))];
    const there = names.length === 0 ? "It has no named image." : `It has ${names.map(printable).join(", ")}.`;
    if (found.length === 0) {
      throw new ImageError("image-not-found", text, `${text}: ${path} has no image${name === undefined ? "" : ` named ${name}`}`, there);
    }
    if (new Set(found.map((e) => e.annotations[REF_NAME])).size > 1) {
      throw new ImageError("image-not-found", text, `${text}: ${path} has several images`, `${there} Write oci:${path}:NAME.`);
    }
    // Several of one name are one image for several platforms.
    return found.length === 1 ? (found[0] as IndexEntry) : choosePlatform(found, this.#host, text);
  }

  async #manifest(digest: string): Promise<RawManifest> {
    const bytes = await this.#blob(digest, MANIFEST_MAX);
    checkDigest(bytes, digest, "its manifest", this.#reference.text);
    return { bytes };
  }

  async #blob(digest: string, limit: number): Promise<Uint8Array> {
    return this.#read(this.#path(digest), limit, "image-bad");
  }

  #path(digest: string): string {
    return join(this.#reference.path, "blobs/sha256", hexOf(digest));
  }

  /** A whole file of at most `limit` bytes. */
  async #read(path: string, limit: number, absent: string): Promise<Uint8Array> {
    try {
      const file = await open(path, "r");
      try {
        if ((await file.stat()).size > limit) throw mismatch(this.#reference.text, `${path} is longer than ${limit} bytes`);
        return await readFile(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof ImageError) throw error;
      throw this.#unreadable(path, error as NodeJS.ErrnoException, absent);
    }
  }

  #unreadable(path: string, error: NodeJS.ErrnoException, absent = "image-bad"): ImageError {
    const { text } = this.#reference;
    const missing = error.code === "ENOENT" || error.code === "ENOTDIR";
    if (!missing) return new ImageError("image-bad", text, `${text}: ${path} cannot be read: ${error.code}`, undefined, error);
    return new ImageError(
      absent,
      text,
      `${text}: there is no ${path}`,
      "Check the path: it must be an OCI layout, as skopeo copy … oci:DIR makes it.",
      error,
    );
  }
}
