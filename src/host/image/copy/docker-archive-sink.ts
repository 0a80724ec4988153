// Writes an image as `docker save` does: a tar of uncompressed layers, the configuration and manifest.json.
import type { ArchiveReference } from "../reference.js";
import { hexOf } from "../reference.js";
import type { RawManifest } from "../resolve.js";
import type { Body, Sink } from "./content.js";
import { partsOf } from "./convert.js";
import { TarWriter } from "./tar-writer.js";

export class DockerArchiveSink implements Sink {
  readonly forms = ["docker", "oci"] as const;
  readonly layers = "plain";
  readonly single = true;
  /** One after the other: how long an unpacked layer is, only its end tells. */
  readonly parallel = 1;
  readonly #reference: ArchiveReference;
  readonly #tar: TarWriter;
  #manifest: { readonly config: string; readonly layers: readonly string[] } | undefined;

  constructor(reference: ArchiveReference) {
    this.#reference = reference;
    this.#tar = new TarWriter(reference.path);
  }

  get text(): string {
    return this.#reference.text;
  }

  async has(): Promise<boolean> {
    return false;
  }

  async put(body: Body): Promise<void> {
    // A configuration comes as it is, so it says of what kind it is.
    const config = body.known !== undefined && /config|container\.image/.test(body.known.mediaType);
    const suffix = config ? "json" : "tar";
    // The same layer twice gives two members: both are whole, readers take either.
    await this.#tar.append(body.open(0), () => `${hexOf(body.result().digest)}.${suffix}`);
  }

  async manifest(manifest: Required<RawManifest>): Promise<void> {
    const parts = partsOf(manifest, this.text);
    if (parts.kind === "image") {
      this.#manifest = {
        config: `${hexOf(parts.config.digest)}.json`,
        layers: parts.layers.map((l) => `${hexOf(l.digest)}.tar`),
      };
    }
  }

  async commit(): Promise<void> {
    const { config = "", layers = [] } = this.#manifest ?? {};
    const { name } = this.#reference;
    const tags = name === undefined ? null : [name];
    await this.#tar.add("manifest.json", Buffer.from(JSON.stringify([{ Config: config, RepoTags: tags, Layers: layers }])));
    await this.#tar.finish();
  }

  async abort(): Promise<void> {
    await this.#tar.abort();
  }
}
