// An image as plain files in a folder, skopeo's `dir:` (containers-transports(5)): manifest.json, and blobs by their hex digests.
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { syncFolder } from "../../files/folders.js";
import { type Descriptor, MANIFEST_MAX } from "../manifest.js";
import { hexOf } from "../reference.js";
import { readRegular, streamRegular } from "../regular.js";
import { checkDigest, digestOf, type RawManifest } from "../resolve.js";
import type { Found, Signature } from "../signatures/signature.js";
import type { Body, Content, Sink } from "./content.js";

const VERSION = "Directory Transport Version: 1.1\n";

export interface DirReference {
  readonly kind: "dir";
  readonly text: string;
  readonly path: string;
}

export class DirContent implements Content {
  readonly #reference: DirReference;

  constructor(reference: DirReference) {
    this.#reference = reference;
  }

  get text(): string {
    return this.#reference.text;
  }

  async top(): Promise<RawManifest> {
    return { bytes: await this.#read("manifest.json") };
  }

  async manifest(digest: string): Promise<RawManifest> {
    const top = await this.top();
    if (digestOf(top.bytes) === digest) return top;
    const bytes = await this.#read(`${hexOf(digest)}.manifest.json`);
    checkDigest(bytes, digest, "its manifest", this.text);
    return { bytes };
  }

  /** signature-N of what manifest.json is, HEX.signature-N of another. */
  async signatures(digest: string): Promise<Found> {
    const [{ readSignatureFile }, { fromFile, SIGNATURES_MAX }] = await Promise.all([
      import("../signatures/lookaside.js"),
      import("../signatures/signature.js"),
    ]);
    const prefix = digestOf((await this.top()).bytes) === digest ? "" : `${hexOf(digest)}.`;
    const signatures: Signature[] = [];
    for (let index = 1; ; index++) {
      const path = join(this.#reference.path, `${prefix}signature-${index}`);
      const bytes = await readSignatureFile(path).catch((error: NodeJS.ErrnoException) => {
        throw new ImageError("image-bad", this.text, `${this.text}: ${path} cannot be read: ${error.code ?? error.message}`);
      });
      if (bytes === undefined) return { signatures, looked: [join(this.#reference.path, `${prefix}signature-1`)] };
      const signature = fromFile(bytes);
      if (signature === undefined) throw new ImageError("image-bad", this.text, `${this.text}: ${path} is no signature`);
      if (index > SIGNATURES_MAX) throw new ImageError("image-bad", this.text, `${this.text}: over ${SIGNATURES_MAX} signatures`);
      signatures.push(signature);
    }
  }

  async *layer(blob: Descriptor, from: number): AsyncGenerator<Uint8Array> {
    const path = join(this.#reference.path, hexOf(blob.digest));
    try {
      yield* streamRegular(path, from);
    } catch (error) {
      throw this.#unreadable(path, error as NodeJS.ErrnoException);
    }
  }

  async #read(name: string): Promise<Uint8Array> {
    const path = join(this.#reference.path, name);
    try {
      const bytes = await readRegular(path, MANIFEST_MAX);
      if (bytes === undefined) throw new ImageError("image-bad", this.text, `${this.text}: ${path} is over 4 MiB`);
      return bytes;
    } catch (error) {
      if (error instanceof ImageError) throw error;
      throw this.#unreadable(path, error as NodeJS.ErrnoException);
    }
  }

  #unreadable(path: string, error: NodeJS.ErrnoException): ImageError {
    const missing = error.code === "ENOENT" || error.code === "ENOTDIR";
    const code = missing && path.endsWith("/manifest.json") ? "image-not-found" : "image-bad";
    const what = missing ? `there is no ${path}` : `${path} cannot be read: ${error.code}`;
    return new ImageError(code, this.text, `${this.text}: ${what}`, "It must be a folder as skopeo copy … dir:FOLDER makes it.", error);
  }
}

/** Makes the folder anew, beside where it will be; only an empty one or one of this kind is replaced. */
export class DirSink implements Sink {
  readonly forms = ["oci", "docker"] as const;
  readonly parallel = 3;
  readonly #reference: DirReference;
  readonly #temporary: string;
  readonly #there = new Set<string>();
  #made: Promise<unknown> | undefined;

  constructor(reference: DirReference) {
    this.#reference = reference;
    this.#temporary = join(dirname(reference.path), `.${basename(reference.path)}.${randomBytes(6).toString("hex")}.tmp`);
  }

  get text(): string {
    return this.#reference.text;
  }

  async holds(digest: string): Promise<boolean> {
    const bytes = await readRegular(join(this.#reference.path, "manifest.json"), MANIFEST_MAX).catch(() => undefined);
    return bytes !== undefined && digestOf(bytes) === digest;
  }

  async has(blob: Descriptor): Promise<boolean> {
    return this.#there.has(blob.digest);
  }

  async put(body: Body): Promise<void> {
    await this.#make();
    const temporary = join(this.#temporary, `.tmp-${randomBytes(8).toString("hex")}`);
    const file = await open(temporary, "wx", 0o644);
    try {
      for await (const piece of body.open(0)) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    const { digest } = body.result();
    await rename(temporary, join(this.#temporary, hexOf(digest)));
    this.#there.add(digest);
  }

  async manifest({ bytes }: Required<RawManifest>, digest: string, top: boolean): Promise<void> {
    await this.#make();
    await writeFile(join(this.#temporary, top ? "manifest.json" : `${hexOf(digest)}.manifest.json`), bytes, { flag: "wx", flush: true });
  }

  async signer(signatures: readonly Signature[], top: boolean): Promise<(digest: string) => Promise<void>> {
    const { toFile } = await import("../signatures/signature.js");
    return async (digest) => {
      for (const [i, signature] of signatures.entries())
        await writeFile(join(this.#temporary, `${top ? "" : `${hexOf(digest)}.`}signature-${i + 1}`), toFile(signature), {
          flag: "wx",
          flush: true,
        });
    };
  }

  async commit(): Promise<void> {
    await writeFile(join(this.#temporary, "version"), VERSION, { flag: "wx", flush: true });
    // Its names too, before it counts: else a power cut leaves a folder of the right name with less in it.
    await syncFolder(this.#temporary);
    const { path } = this.#reference;
    const old = `${this.#temporary}.old`;
    // rename(2) puts no folder in the place of one that is not empty.
    const had = await rename(path, old).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    try {
      await rename(this.#temporary, path);
    } catch (error) {
      if (had) await rename(old, path);
      throw error;
    }
    await syncFolder(dirname(path));
    if (had) await rm(old, { recursive: true, force: true });
  }

  async abort(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true }).catch(() => undefined);
  }

  #make(): Promise<unknown> {
    this.#made ??= this.#check().then(() => mkdir(this.#temporary));
    return this.#made;
  }

  async #check(): Promise<void> {
    const { path, text } = this.#reference;
    const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw new ImageError("image-bad", text, `${text}: ${path} is no folder: ${error.code}`);
    });
    const version = await readRegular(join(path, "version"), VERSION.length).catch(() => undefined);
    if (names.length > 0 && Buffer.from(version ?? "").toString() !== VERSION)
      throw new ImageError("image-bad", text, `${text}: ${path} is a folder of something else`, "Give one that is empty, or not there.");
  }
}
