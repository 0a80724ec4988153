// Lets an image through to its reader only once its signatures fulfil the policy: before anything but its manifest is looked at.
import type { Content } from "../copy/content.js";
import { isObject, parseJson } from "../json.js";
import type { Descriptor } from "../manifest.js";
import type { Platform } from "../platform.js";
import { digestOf, type RawManifest, resolveImage } from "../resolve.js";
import type { Found } from "../signatures/signature.js";
import type { ImageSource, Resolved } from "../source.js";
import type { ImageName } from "./name.js";
import type { Verifier } from "./verify.js";

/** Content that can tell the signatures of a manifest. */
export type Signed = Content & { signatures(digest: string): Promise<Found> };

export class GuardedContent implements Content {
  readonly repository?: { readonly host: string; readonly name: string };
  protected readonly inner: Signed;
  readonly #verify: Verifier;
  readonly #name: ImageName | undefined;
  /** digest -> the outcome, so that platforms and tries share it. */
  readonly #admitted = new Map<string, Promise<void>>();

  /** `name`: what signatures are to be for; see Candidate. */
  constructor(inner: Signed, verify: Verifier, name: ImageName | undefined) {
    this.inner = inner;
    if (inner.repository !== undefined) this.repository = inner.repository;
    this.#verify = verify;
    this.#name = name;
  }

  get text(): string {
    return this.inner.text;
  }

  async top(): Promise<RawManifest> {
    return this.#checked(await this.inner.top());
  }

  async manifest(digest: string): Promise<RawManifest> {
    return this.#checked(await this.inner.manifest(digest));
  }

  layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.inner.layer(blob, from, signal);
  }

  signatures(digest: string): Promise<Found> {
    return this.inner.signatures(digest);
  }

  /** Throws ImageError image-refused, or what kept the signatures from being read. */
  admit(manifest: Uint8Array): Promise<void> {
    const digest = digestOf(manifest);
    const known = this.#admitted.get(digest) ?? this.#ask(manifest, digest);
    this.#admitted.set(digest, known);
    // What failed may be mended while a watcher runs.
    known.catch(() => this.#admitted.delete(digest));
    return known;
  }

  async #ask(manifest: Uint8Array, digest: string): Promise<void> {
    const image = { manifest, ...(this.#name === undefined ? {} : { name: this.#name }) };
    await this.#verify(image, await this.inner.signatures(digest));
  }

  async #checked(raw: RawManifest): Promise<RawManifest> {
    if (!isIndex(raw.bytes)) await this.admit(raw.bytes);
    return raw;
  }
}

/** By its bytes alone: who sends them says the media type, and could call an image an index. An index has no layers to let in. */
function isIndex(bytes: Uint8Array): boolean {
  const json = parseJson(bytes);
  return isObject(json) && Array.isArray(json["manifests"]) && json["layers"] === undefined && json["config"] === undefined;
}

export class GuardedSource extends GuardedContent implements ImageSource {
  readonly #source: ImageSource;
  readonly #host: Platform;

  constructor(source: ImageSource & Signed, host: Platform, verify: Verifier, name: ImageName | undefined) {
    super(source, verify, name);
    this.#source = source;
    this.#host = host;
  }

  get remote(): boolean {
    return this.#source.remote;
  }

  current(): Promise<string> {
    return this.#source.current();
  }

  async resolve(digest?: string): Promise<Resolved> {
    const top = await (digest === undefined ? this.top() : this.manifest(digest));
    const fetcher = { manifest: (d: string) => this.manifest(d), blob: (d: Descriptor) => this.#whole(d) };
    return resolveImage(top, fetcher, this.#host, this.text);
  }

  async #whole(blob: Descriptor): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.inner.layer(blob, 0, new AbortController().signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}
