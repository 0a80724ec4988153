// Writes an image into a registry: what is there stays there, what the same registry has elsewhere is mounted, the rest is sent
// (OCI distribution-spec 1.1, "Push").
import { ImageError } from "../../../ports/images.js";
import { discard } from "../http.js";
import { type Descriptor, INDEX_TYPES, MANIFEST_TYPES } from "../manifest.js";
import type { RawManifest } from "../resolve.js";
import type { RegistrySession } from "../session.js";
import type { Signature } from "../signatures/signature.js";
import type { Body, Content, Sink } from "./content.js";
import { Uploader } from "./upload.js";

export class RegistrySink implements Sink {
  readonly forms = ["oci", "docker"] as const;
  readonly layers = "packed";
  readonly parallel = 3;
  readonly #session: RegistrySession;
  readonly #uploader: Uploader;
  /** Where a blob may be sent to, because it could not be mounted after all. */
  readonly #begun = new Map<string, string>();

  readonly #env: Readonly<Record<string, string | undefined>>;

  /** `env`: where to look for what registries.d says of signatures. */
  constructor(session: RegistrySession, env: Readonly<Record<string, string | undefined>>) {
    this.#session = session;
    this.#env = env;
    this.#uploader = new Uploader(session);
  }

  get text(): string {
    return this.#session.reference.text;
  }

  get digest(): string | undefined {
    return this.#session.reference.digest;
  }

  async holds(digest: string): Promise<boolean> {
    const { tag } = this.#session.reference;
    const headers = { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(", ") };
    const answer = await this.#session.open(`manifests/${tag ?? digest}`, { method: "HEAD", headers });
    discard(answer);
    return answer.status === 200 && answer.headers["docker-content-digest"] === digest;
  }

  async has(blob: Descriptor, from: Content): Promise<boolean> {
    if (await this.#uploader.exists(blob.digest)) return true;
    const { host, repository } = this.#session.reference;
    if (from.repository?.host !== host || from.repository.name === repository) return false;
    const words = new URLSearchParams({ mount: blob.digest, from: from.repository.name });
    const answer = await this.#session.open(`blobs/uploads/?${words}`, { method: "POST", headers: { "content-length": "0" } });
    discard(answer);
    const { location } = answer.headers;
    // Not there, or not ours to read: the registry has begun an upload instead.
    if (answer.status === 202 && location !== undefined && URL.canParse(location, answer.url.href))
      this.#begun.set(blob.digest, new URL(location, answer.url).href);
    return answer.status === 201;
  }

  put(body: Body, signal: AbortSignal): Promise<void> {
    return this.#uploader.send(body, signal, body.known === undefined ? undefined : this.#begun.get(body.known.digest));
  }

  async manifest({ bytes, type }: Required<RawManifest>, digest: string, top: boolean): Promise<void> {
    const { tag } = this.#session.reference;
    const name = top && tag !== undefined ? tag : digest;
    const headers = { "content-type": type, "content-length": String(bytes.length) };
    const answer = await this.#session.open(`manifests/${name}`, { method: "PUT", headers, body: () => [bytes] });
    if (![200, 201, 202, 204].includes(answer.status)) {
      const why = await this.#session.reason(answer);
      const hint = "Some registries take one of the two families of manifests only: try --format v2s2, or --format oci.";
      throw new ImageError("image-refused", this.text, `${this.text}: the registry does not take the manifest (${why})`, hint);
    }
    discard(answer);
  }

  async signer(signatures: readonly Signature[]): Promise<(digest: string) => Promise<void>> {
    return (await import("../signatures/write.js")).registrySigner(this.#session, signatures, this.#env);
  }

  async commit(): Promise<void> {
    // The manifest that the tag names was sent last; there is no more to do.
  }

  async abort(): Promise<void> {
    // Blobs without a manifest are the registry's to collect; an upload that was begun ends by itself.
  }
}
