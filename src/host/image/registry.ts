// An image in a registry: its manifests, and its layers with a resume after every cut (OCI distribution-spec 1.1, "Pull").
import { ImageError } from "../../ports/images.js";
import type { Content } from "./copy/content.js";
import { type Answer, chunks, discard, HttpError } from "./http.js";
import { type Descriptor, INDEX_TYPES, MANIFEST_MAX, MANIFEST_TYPES } from "./manifest.js";
import type { Platform } from "./platform.js";
import { isDigest } from "./reference.js";
import { checkDigest, digestOf, mismatch, type RawManifest, resolveImage } from "./resolve.js";
import type { RegistrySession } from "./session.js";
import type { Found } from "./signatures/signature.js";
import type { ImageSource, Resolved } from "./source.js";

// Schema 1 is asked for last, so that an image that has nothing else is refused by name and not "not found".
const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES, "application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1"].join(", ");

export class RegistrySource implements ImageSource, Content {
  readonly remote = true;
  readonly #session: RegistrySession;
  readonly #host: Platform;
  readonly #env: Readonly<Record<string, string | undefined>>;

  /** `env`: where to look for what registries.d says of signatures, should they be asked for. */
  constructor(session: RegistrySession, host: Platform, env: Readonly<Record<string, string | undefined>>) {
    this.#session = session;
    this.#host = host;
    this.#env = env;
  }

  get text(): string {
    return this.#session.reference.text;
  }

  /** As blobs are mounted from it. */
  get repository(): { readonly host: string; readonly name: string } {
    const { host, repository } = this.#session.reference;
    return { host, name: repository };
  }

  /** The digest wins over the tag, as everywhere. */
  get #wanted(): string {
    const { digest, tag } = this.#session.reference;
    return digest ?? tag ?? "latest";
  }

  async current(): Promise<string> {
    const answer = await this.#session.open(`manifests/${this.#wanted}`, { method: "HEAD", headers: { accept: ACCEPT } });
    discard(answer);
    if (answer.status === 404) throw this.#notFound("HTTP 404");
    const digest = answer.headers["docker-content-digest"];
    if (answer.status === 200 && typeof digest === "string" && isDigest(digest)) return digest;
    // Not every registry knows HEAD, or says the digest: then the manifest itself has to come.
    return digestOf((await this.manifest(this.#wanted)).bytes);
  }

  top(): Promise<RawManifest> {
    return this.manifest(this.#wanted);
  }

  async resolve(digest?: string): Promise<Resolved> {
    const top = await this.manifest(digest ?? this.#wanted);
    const fetcher = { manifest: (d: string) => this.manifest(d), blob: (d: Descriptor) => this.#blob(d) };
    return resolveImage(top, fetcher, this.#host, this.text);
  }

  async *layer(layer: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { deadlines } = this.#session;
    let offset = from;
    for (let tries = 1; offset < layer.size; tries++) {
      const start = offset;
      try {
        const range = offset > 0 ? { range: `bytes=${offset}-` } : undefined;
        // identity: the bytes are the layer; a proxy that compresses them once more would break ranges and the digest.
        const answer = await this.#session.open(`blobs/${layer.digest}`, {
          method: "GET",
          headers: { "accept-encoding": "identity", ...range },
          signal,
        });
        let skip = await this.#positioned(answer, layer, offset);
        for await (const piece of chunks(answer, deadlines)) {
          const fresh = skip >= piece.length ? piece.subarray(piece.length) : piece.subarray(skip);
          skip -= piece.length - fresh.length;
          offset += fresh.length;
          if (offset > layer.size)
            throw mismatch(this.text, `the layer ${layer.digest} is longer than the ${layer.size} bytes of its manifest`);
          if (fresh.length > 0) yield fresh;
        }
        if (offset < layer.size) throw new HttpError("the body ended early", "cut", true, true);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        // A cut after a real gain starts the count anew; a registry that brings a few bytes each time ends all the same.
        if (offset - start >= deadlines.windowBytes) tries = 0;
        if (!error.again || tries >= deadlines.attempts) throw this.#session.unreachable(error);
        await this.#session.pause(Math.max(1, tries), signal);
      }
    }
  }

  /** Checks the head of a blob's answer; returns how many bytes of its body lie before `offset`. */
  async #positioned(answer: Answer, layer: Descriptor, offset: number): Promise<number> {
    const { status, headers } = answer;
    if (status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "");
      if (range !== null && Number(range[1]) === offset) {
        if (range[2] !== "*" && Number(range[2]) !== layer.size) throw this.#wrongSize(answer, layer, String(range[2]));
        return 0;
      }
      discard(answer);
      throw new ImageError("image-bad", this.text, `${this.text}: ${answer.url.host} answered another range than asked for`);
    }
    if (status === 200) {
      const length = headers["content-length"];
      if (length !== undefined && Number(length) !== layer.size) throw this.#wrongSize(answer, layer, length);
      return offset;
    }
    if (status === 416) throw this.#wrongSize(answer, layer, `at most ${offset}`);
    throw this.#notFound(`its layer ${layer.digest}: ${await this.#session.reason(answer)}`);
  }

  #wrongSize(answer: Answer, layer: Descriptor, length: string): ImageError {
    discard(answer);
    return mismatch(this.text, `the layer ${layer.digest} has ${length} bytes, its manifest says ${layer.size}`);
  }

  /** What a tag or digest names, as it is. */
  async manifest(wanted: string): Promise<RawManifest> {
    return this.#received(wanted, await this.#ask(wanted));
  }

  /** The same, or undefined where there is none. */
  async find(wanted: string): Promise<RawManifest | undefined> {
    const answer = await this.#ask(wanted);
    if (answer.status !== 404) return this.#received(wanted, answer);
    discard(answer);
    return undefined;
  }

  /** What is signed of a manifest, here and in the lookaside of this repository. */
  async signatures(digest: string): Promise<Found> {
    const { findSignatures } = await import("./signatures/find.js");
    const { reference, deadlines } = this.#session;
    return findSignatures(this, reference, digest, { env: this.#env, deadlines });
  }

  #ask(wanted: string): Promise<Answer> {
    return this.#session.open(`manifests/${wanted}`, { method: "GET", headers: { accept: ACCEPT } });
  }

  async #received(wanted: string, answer: Answer): Promise<RawManifest> {
    if (answer.status !== 200) throw this.#notFound(await this.#session.reason(answer));
    const bytes = await this.#session.read(answer, MANIFEST_MAX);
    if (bytes === undefined) throw new ImageError("image-bad", this.text, `${this.text}: its manifest is over 4 MiB`);
    // A tag has no digest of its own to check; what the registry claims must fit what it sent.
    const claimed = answer.headers["docker-content-digest"];
    const expected = isDigest(wanted) ? wanted : typeof claimed === "string" && isDigest(claimed) ? claimed : undefined;
    if (expected !== undefined) checkDigest(bytes, expected, "its manifest", this.text);
    const type = answer.headers["content-type"]?.split(";")[0]?.trim();
    return { bytes, ...(type === undefined ? {} : { type }) };
  }

  async #blob(descriptor: Descriptor): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.layer(descriptor, 0, new AbortController().signal)) parts.push(part);
    return Buffer.concat(parts);
  }

  #notFound(why: string): ImageError {
    return new ImageError(
      "image-not-found",
      this.text,
      `${this.text} is not in its registry (${why})`,
      "Check the name and the tag, for example on the registry's page or with skopeo list-tags.",
    );
  }
}
