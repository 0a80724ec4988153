// Any content into podgen's own store, by the way every pull goes: its locks, its limits, its checks, its record at the very end.
import type { CopiedManifest, CopyProgress } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { readStorage } from "../../facts/storage.js";
import type { Deadlines } from "../deadlines.js";
import { type Descriptor, MANIFEST_TYPES } from "../manifest.js";
import type { Platform } from "../platform.js";
import { pull } from "../pull.js";
import { parseReference } from "../reference.js";
import { digestOf, resolveImage } from "../resolve.js";
import { factsOf, type ImageSource, type Resolved } from "../source.js";
import { Store } from "../store.js";
import type { Content } from "./content.js";
import { partsOf } from "./convert.js";

export interface IntoStore {
  readonly data: string;
  /** `$XDG_CONFIG_HOME/podgen`: kept blobs and limits of layers. */
  readonly settings: string;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines: Deadlines;
  readonly platform: Platform;
}

/** The image of `content` under `name`; a name that has an image keeps it until the new one is whole. Throws ImageError. */
export async function intoStore(
  content: Content,
  name: string,
  options: IntoStore,
  progress: (step: CopyProgress) => void,
): Promise<CopiedManifest> {
  const { data, settings, podrt, env, deadlines, platform } = options;
  const reference = parseReference(name);
  if (reference.kind !== "registry") throw new ImageError("image-bad", name, `${name} is no name for an image of the store`);
  const source = "resolve" in content ? (content as Content & ImageSource) : new ContentSource(content, platform);
  const resolved = await source.resolve();
  const { digest, named } = resolved;
  if (reference.digest !== undefined && ![digest, named].includes(reference.digest))
    throw new ImageError("image-digest-mismatch", name, `${content.text} is ${digest}, and cannot be ${name}`);
  const { keepBlobs, layerLimits: limits } = await readStorage(settings);
  const store = new Store(data);
  await pull(factsOf(name, resolved), resolved, async () => source, progress, { store, podrt, env, deadlines, limits, keepBlobs });
  const type = partsOf({ bytes: resolved.manifest }, content.text).type;
  return { digest, size: resolved.manifest.length, mediaType: type || (MANIFEST_TYPES[0] as string) };
}

/** What has only manifests and blobs to give, as a pull wants it. */
class ContentSource implements ImageSource {
  readonly remote = false;
  readonly #content: Content;
  readonly #host: Platform;

  constructor(content: Content, host: Platform) {
    this.#content = content;
    this.#host = host;
  }

  async current(): Promise<string> {
    return digestOf((await this.#content.top()).bytes);
  }

  async resolve(digest?: string): Promise<Resolved> {
    const content = this.#content;
    const fetcher = { manifest: (wanted: string) => content.manifest(wanted), blob: (blob: Descriptor) => this.#small(blob) };
    return resolveImage(digest === undefined ? await content.top() : await content.manifest(digest), fetcher, this.#host, content.text);
  }

  layer(layer: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#content.layer(layer, from, signal);
  }

  async #small(blob: Descriptor): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this.#content.layer(blob, 0, new AbortController().signal)) {
      size += piece.length;
      // Its digest will not fit either; but nobody needs to read a whole disk to know that.
      if (size > blob.size) break;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}
