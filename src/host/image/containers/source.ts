// An image of podman's store as a source. Podman keeps what images keep, manifest and configuration as they came, but layers unpacked:
// each is given as its plain tar, byte for byte, made of podman's files and its tar-split; what podrt packs is checked by its digest.
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { StoredName } from "../../../base/containers-storage.js";
import { ImageError } from "../../../ports/images.js";
import type { Content } from "../copy/content.js";
import { HelperError } from "../failure.js";
import { choosePlatform, type Descriptor, parseConfiguration, parseManifest } from "../manifest.js";
import type { Platform } from "../platform.js";
import { demandFor } from "../policy/check.js";
import type { PodmanReference } from "../reference.js";
import { Altered, folderTar } from "../repack.js";
import { checkDigest, digestOf, type RawManifest } from "../resolve.js";
import type { ImageSource, LayerPlace, Resolved } from "../source.js";
import { plainLayer, withLayers } from "../stored.js";
import { findImage, pick, storesFor } from "./find.js";
import { bigData, imagesOf, layerFolder, layersOf, type PodmanImage, type PodmanLayer, tarSplitOf } from "./records.js";
import { recipeOf, TarSplitError } from "./tar-split.js";

export interface PodmanOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly podrt: string;
}

/** How often what does not fit together is read again: podman may be at work. */
const TRIES = 3;
const GONE = "podman images shows what is there; podman system check looks closer.";

/** The image, if the policy lets it be read. Throws ImageError: image-not-found, image-refused, image-config, image-store. */
export async function openPodman(reference: PodmanReference, host: Platform, options: PodmanOptions): Promise<PodmanSource> {
  const { text, name } = reference;
  const found = await lookUp(name, text, host, options);
  if (found !== undefined) return found;
  const hint = name.root === undefined ? "podman images lists what is there." : `Of the store in ${name.root}.`;
  throw new ImageError("image-not-found", text, `${text}: podman has no such image`, hint);
}

/** The same, and undefined where podman has no such image. */
export async function lookUp(name: StoredName, text: string, host: Platform, options: PodmanOptions): Promise<PodmanSource | undefined> {
  const image = await findImage(name, await storesFor(name, options.env), text);
  if (image === undefined) return undefined;
  await demandFor({ kind: "containers-storage", text, name, scopes: scopesOf(image, name) }, options.env);
  return PodmanSource.open(text, image, host, options);
}

/** As containers-policy.json(5) has them: the name in its store, the namespaces above, the store with and without its driver. */
function scopesOf({ store, id, names }: PodmanImage, name: StoredName): string[] {
  const at = `[${store.driver}@${store.root}]`;
  const whole = name.name === undefined ? names[0] : (names.find((n) => n === name.name || n.endsWith(`/${name.name}`)) ?? names[0]);
  const path =
    whole
      ?.replace(/@.*$/, "")
      .replace(/:[^/]*$/, "")
      .split("/") ?? [];
  const above = path.map((_, i) => `${at}${path.slice(0, path.length - i).join("/")}`);
  return [whole === undefined ? `${at}@${id}` : `${at}${whole}`, ...above, at, `[${store.root}]`];
}

export class PodmanSource implements ImageSource, Content {
  readonly remote = false;
  readonly text: string;
  /** True where the name means a list of images for several platforms; of it only this machine's is given. */
  readonly list: boolean;
  readonly #image: PodmanImage;
  readonly #layers: readonly PodmanLayer[];
  readonly #resolved: Resolved;
  /** Of the layers as the manifest names them. */
  readonly #original: readonly Descriptor[];
  readonly #podrt: PodmanOptions;

  private constructor(
    text: string,
    image: PodmanImage,
    layers: readonly PodmanLayer[],
    resolved: Resolved,
    original: readonly Descriptor[],
    list: boolean,
    options: PodmanOptions,
  ) {
    this.text = text;
    this.list = list;
    this.#image = image;
    this.#layers = layers;
    this.#resolved = resolved;
    this.#original = original;
    this.#podrt = options;
  }

  /** Reads all but the layers. Throws ImageError. */
  static async open(text: string, named: PodmanImage, host: Platform, options: PodmanOptions): Promise<PodmanSource> {
    const fault = (why: string, hint?: string) => new ImageError("image-store", text, `${text}: ${why}`, hint);
    let image = named;
    let manifest = await manifestOf(image);
    const parsed = manifest === undefined ? undefined : parseManifest(manifest, undefined, text);
    if (parsed?.kind === "index") {
      const { digest } = choosePlatform(parsed.entries, host, text);
      const member = pick({ digest }, await imagesOf(image.store), text);
      if (member === undefined)
        throw new ImageError(
          "image-not-found",
          text,
          `${text}: podman has the list of images, and not the one for this machine (${digest})`,
        );
      image = member;
      manifest = await bigData(image, `manifest-${digest}`);
    }
    if (manifest === undefined) throw fault("podman's store has not its manifest", GONE);
    const own = parseManifest(manifest, undefined, text);
    if (own.kind !== "image") throw fault("its list of images has lists in it");
    const configBytes = await bigData(image, own.config.digest);
    if (configBytes === undefined) throw fault(`podman's store has not its configuration ${own.config.digest}`, GONE);
    checkDigest(configBytes, own.config.digest, "its configuration", text);
    const configuration = parseConfiguration(configBytes, own.layers.length, host, text);
    const layers = await wholeLayers(image, configuration.diffIds, fault);
    const plain = own.layers.map((layer, i) => {
      const { diffId, size } = layers[i] as Required<PodmanLayer>;
      return layer.digest === diffId ? layer : plainLayer(layer, diffId, size);
    });
    const digest = digestOf(manifest);
    const resolved = { named: digest, digest, manifest, configDigest: own.config.digest, configBytes, layers: plain, configuration };
    return new PodmanSource(text, image, layers, resolved, own.layers, parsed?.kind === "index", options);
  }

  async current(): Promise<string> {
    return this.#resolved.digest;
  }

  /** Under the manifest that podman has, but with plain layers. With `digest`, the image must still be that. */
  async resolve(digest?: string): Promise<Resolved> {
    if (digest === undefined || digest === this.#resolved.digest) return this.#resolved;
    throw new ImageError("image-not-found", this.text, `${this.text}: it is ${this.#resolved.digest} by now, not ${digest}`);
  }

  async top(): Promise<RawManifest> {
    const { manifest, layers } = this.#resolved;
    return { bytes: this.#exact ? manifest : withLayers(manifest, this.#original, layers) };
  }

  async manifest(): Promise<RawManifest> {
    return this.top();
  }

  async itself(): Promise<RawManifest> {
    return { bytes: this.#resolved.manifest };
  }

  async before(): Promise<{ readonly manifest: RawManifest; readonly layers: readonly Descriptor[] } | undefined> {
    return this.#exact ? undefined : { manifest: await this.itself(), layers: this.#original };
  }

  get #exact(): boolean {
    return this.#resolved.layers.every((layer, i) => layer === this.#original[i]);
  }

  async *layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (blob.digest === this.#resolved.configDigest) {
      yield this.#resolved.configBytes.subarray(from);
      return;
    }
    const { store } = this.#image;
    const layer = this.#layers.find((l) => l.diffId === blob.digest);
    if (layer === undefined) throw this.#fault(`podman does not keep the blob ${blob.digest}`);
    const recipe = recipeOf(tarSplitOf(store, layer.id));
    try {
      for await (const piece of folderTar(this.#podrt, layerFolder(store, layer.id), recipe, blob.digest, from)) {
        signal.throwIfAborted();
        yield piece;
      }
    } catch (error) {
      const damage = error instanceof Altered || error instanceof TarSplitError;
      if (damage) throw this.#fault(`podman's layer ${layer.id} is damaged, or was just removed: ${error.message}`, GONE, error);
      if (error instanceof HelperError) throw this.#fault(error.message, undefined, error);
      throw error;
    }
  }

  /**
   * Where a layer can be used without copying it: in an overlay store of the user's own, with the image's own owners. Whether its
   * whiteouts are overlay's is for who looks at its files.
   */
  async place(diffId: string): Promise<LayerPlace | undefined> {
    const { store } = this.#image;
    const layer = this.#layers.find((l) => l.diffId === diffId);
    if (layer === undefined || layer.mapped || store.driver !== "overlay") return undefined;
    const root = await stat(store.root);
    if (root.uid !== process.getuid?.()) return undefined;
    const folder = layerFolder(store, layer.id);
    return { folder, size: layer.size, recipe: () => recipeOf(tarSplitOf(store, layer.id)) };
  }

  #fault(why: string, hint?: string, cause?: unknown): ImageError {
    return new ImageError("image-store", this.text, `${this.text}: ${why}`, hint, cause);
  }
}

/** The manifest that is the image's own; undefined where it is not there, or not what its digest says. */
async function manifestOf(image: PodmanImage): Promise<Uint8Array | undefined> {
  const bytes = await bigData(image, "manifest");
  const digest = bytes === undefined ? undefined : `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return digest !== undefined && image.digests.includes(digest) ? bytes : undefined;
}

/** The layers in podman's store for these diff_ids, bottom first. */
async function wholeLayers(
  image: PodmanImage,
  diffIds: readonly string[],
  fault: (why: string, hint?: string) => ImageError,
): Promise<PodmanLayer[]> {
  for (let tries = 0; tries < TRIES; tries++) {
    const layers = await layersOf(image);
    if (layers === undefined) continue;
    const unknown = layers.find((l) => l.diffId === undefined);
    if (unknown !== undefined) {
      const why = `of podman's layer ${unknown.id} it is not known what its tar was: it was pulled in parts (zstd:chunked)`;
      throw fault(why, "podman push sends it, packed anew, to a registry or an oci: folder.");
    }
    if (layers.map((l) => l.diffId).join() !== diffIds.join()) throw fault("podman's layers are not those of its configuration", GONE);
    return layers;
  }
  throw fault("podman's store has not all of its layers", GONE);
}
