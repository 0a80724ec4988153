// Writes an image into a folder of the OCI image layout, beside what is there, or as a tar of one.
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { isObject, type Json, parseJson } from "../json.js";
import { acquire } from "../lock.js";
import { type Descriptor, INDEX_TYPES } from "../manifest.js";
import { hexOf, type LayoutReference } from "../reference.js";
import { replaceFile } from "../replace.js";
import type { RawManifest } from "../resolve.js";
import type { Body, Sink } from "./content.js";
import { TarWriter } from "./tar-writer.js";

const REF_NAME = "org.opencontainers.image.ref.name";
const MARKER = '{"imageLayoutVersion":"1.0.0"}';
const LOCK_MS = 30_000;

/** `blobs/sha256/HEX` */
function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function entryOf({ bytes, type }: Required<RawManifest>, digest: string, name: string | undefined): Json {
  return { mediaType: type, digest, size: bytes.length, ...(name === undefined ? {} : { annotations: { [REF_NAME]: name } }) };
}

/** A folder: it may hold other images, whose blobs are shared; one of the same name is replaced. */
export class LayoutSink implements Sink {
  readonly forms = ["oci"] as const;
  readonly parallel = 3;
  readonly #reference: LayoutReference;
  readonly #temporaries = new Set<string>();
  #entry: Json | undefined;

  constructor(reference: LayoutReference) {
    this.#reference = reference;
  }

  get text(): string {
    return this.#reference.text;
  }

  async holds(digest: string): Promise<boolean> {
    const { path, name } = this.#reference;
    const json = parseJson(await readFile(join(path, "index.json")).catch(() => new Uint8Array()));
    const entries = isObject(json) && Array.isArray(json["manifests"]) ? json["manifests"] : [];
    return entries.some((e) => nameOf(e) === name && isObject(e) && e["digest"] === digest);
  }

  async has(blob: Descriptor): Promise<boolean> {
    const found = await stat(this.#path(blob.digest)).catch(() => undefined);
    return found?.isFile() === true && found.size === blob.size;
  }

  async put(body: Body): Promise<void> {
    await this.#prepare();
    const temporary = join(this.#reference.path, "blobs/sha256", `.tmp-${randomBytes(8).toString("hex")}`);
    this.#temporaries.add(temporary);
    const file = await open(temporary, "wx", 0o644);
    try {
      for await (const piece of body.open(0)) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path(body.result().digest));
    this.#temporaries.delete(temporary);
  }

  async manifest(manifest: Required<RawManifest>, digest: string, top: boolean): Promise<void> {
    await this.#prepare();
    await this.#write(blobName(digest), manifest.bytes);
    if (top) this.#entry = entryOf(manifest, digest, this.#reference.name);
  }

  async commit(): Promise<void> {
    const { path, text } = this.#reference;
    const end = Date.now() + LOCK_MS;
    // Two copies into one folder would each write an index without the other's entry.
    const lock = await acquire(join(path, ".index.lock"), "exclusive", 1, () => Date.now() < end);
    if (lock === undefined) throw new ImageError("image-store", text, `${text}: another process holds ${join(path, ".index.lock")}`);
    try {
      await this.#write("index.json", Buffer.from(JSON.stringify(await this.#index())));
      await this.#write("oci-layout", Buffer.from(MARKER));
    } finally {
      await lock.release(true);
    }
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#temporaries].map((path) => rm(path, { force: true }).catch(() => undefined)));
  }

  #path(digest: string): string {
    return join(this.#reference.path, blobName(digest));
  }

  /** Makes the folders; refuses one that is something else. */
  async #prepare(): Promise<void> {
    const { path, text } = this.#reference;
    const names = await readdir(path).catch((): string[] => []);
    if (names.length > 0 && !names.includes("oci-layout") && !names.includes("blobs")) {
      throw new ImageError("image-bad", text, `${text}: ${path} is a folder of something else`, "Give one that is empty, or not there.");
    }
    await mkdir(join(path, "blobs/sha256"), { recursive: true });
  }

  /** index.json with the entry of this name in place of the old one. */
  async #index(): Promise<Json> {
    const { path, text, name } = this.#reference;
    const bytes = await readFile(join(path, "index.json")).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return Buffer.from('{"schemaVersion":2,"manifests":[]}');
      throw error;
    });
    const json = parseJson(bytes);
    if (!isObject(json) || !Array.isArray(json["manifests"]))
      throw new ImageError("image-bad", text, `${text}: ${join(path, "index.json")} is no index`);
    const others = json["manifests"].filter((e) => nameOf(e) !== name);
    return { mediaType: INDEX_TYPES[0] as string, ...json, manifests: [...others, this.#entry as Json] };
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    await replaceFile(join(this.#reference.path, name), bytes, 0o644);
  }
}

function nameOf(entry: Json): string | undefined {
  const annotations = isObject(entry) ? entry["annotations"] : undefined;
  const name = isObject(annotations) ? annotations[REF_NAME] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** A tar of a layout, of this one image. What stands there already is not touched: refused. */
export class LayoutArchiveSink implements Sink {
  readonly forms = ["oci"] as const;
  readonly parallel = 3;
  readonly #reference: LayoutReference;
  readonly #tar: TarWriter;
  readonly #there = new Set<string>();
  #entry: Json | undefined;

  constructor(reference: LayoutReference) {
    this.#reference = reference;
    this.#tar = new TarWriter(reference.path);
  }

  get text(): string {
    return this.#reference.text;
  }

  async has(blob: Descriptor): Promise<boolean> {
    return this.#there.has(blob.digest);
  }

  async put(body: Body): Promise<void> {
    if (body.known !== undefined) await this.#tar.fill(blobName(body.known.digest), body.known.size, body.open(0));
    else await this.#tar.append(body.open(0), () => blobName(body.result().digest));
    this.#there.add(body.result().digest);
  }

  async manifest(manifest: Required<RawManifest>, digest: string, top: boolean): Promise<void> {
    await this.#tar.add(blobName(digest), manifest.bytes);
    if (top) this.#entry = entryOf(manifest, digest, this.#reference.name);
  }

  async commit(): Promise<void> {
    const index = { schemaVersion: 2, mediaType: INDEX_TYPES[0] as string, manifests: [this.#entry as Json] };
    await this.#tar.add("index.json", Buffer.from(JSON.stringify(index)));
    await this.#tar.add("oci-layout", Buffer.from(MARKER));
    await this.#tar.finish();
  }

  async abort(): Promise<void> {
    await this.#tar.abort();
  }
}
