// What podman's store says of its images and layers: images.json, layers.json and the images' own files. Only read, never locked:
// podman replaces these files whole, and what does not fit together because it was changed in between is read again.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { isObject, type Json, parseJson, strings } from "../json.js";
import { isDigest } from "../reference.js";
import type { StoreFolder } from "./settings.js";

export interface PodmanImage {
  readonly store: StoreFolder;
  readonly id: string;
  /** Whole names with their tags (or digests). */
  readonly names: readonly string[];
  /** Id of its top layer; absent for a list of images, and for one without layers. */
  readonly layer?: string;
  /** Digests of the manifests it is known by. */
  readonly digests: readonly string[];
}

export interface PodmanLayer {
  readonly id: string;
  readonly parent?: string;
  readonly diffId?: string;
  /** Bytes of its tar. */
  readonly size: number;
  /** Its files have other owners than the image says. */
  readonly mapped: boolean;
}

const ID = /^[0-9a-f]{64}$/;

/** All images of a store. Throws ImageError image-store for what cannot be read. */
export async function imagesOf(store: StoreFolder): Promise<PodmanImage[]> {
  const path = join(store.root, `${store.driver}-images/images.json`);
  return (await list(path)).flatMap((image) => {
    const { id, names, layer, digest } = image;
    if (typeof id !== "string" || !ID.test(id)) return [];
    const named = strings(image["big-data-names"] ?? []) ?? [];
    const digests = named.flatMap((n) => /^manifest-(sha256:[0-9a-f]{64})$/.exec(n)?.[1] ?? []);
    if (typeof digest === "string" && isDigest(digest) && !digests.includes(digest)) digests.push(digest);
    const top = typeof layer === "string" && ID.test(layer) ? { layer } : {};
    return [{ store, id, names: strings(names ?? []) ?? [], digests, ...top }];
  });
}

/** The layers of an image, bottom first; undefined where one is missing, or not yet whole. Throws as imagesOf. */
export async function layersOf({ store, layer }: PodmanImage): Promise<PodmanLayer[] | undefined> {
  const folder = join(store.root, `${store.driver}-layers`);
  const known = new Map<string, PodmanLayer>();
  for (const name of ["layers.json", "volatile-layers.json"])
    for (const json of await list(join(folder, name))) {
      const read = layerOf(json);
      if (read !== undefined) known.set(read.id, read);
    }
  const found: PodmanLayer[] = [];
  for (let id = layer; id !== undefined; ) {
    const one = known.get(id);
    // A circle is nobody's image.
    if (one === undefined || found.length > known.size) return undefined;
    found.unshift(one);
    id = one.parent;
  }
  return found;
}

function layerOf(json: { readonly [key: string]: Json }): PodmanLayer | undefined {
  const { id, parent, uidmap, gidmap, flags } = json;
  const diffId = json["diff-digest"];
  const size = json["diff-size"];
  if (typeof id !== "string" || !ID.test(id) || (isObject(flags) && flags["incomplete"] === true)) return undefined;
  return {
    id,
    size: typeof size === "number" && Number.isSafeInteger(size) ? size : 0,
    mapped: [uidmap, gidmap].some((map) => Array.isArray(map) && map.length > 0),
    ...(typeof parent === "string" && parent !== "" ? { parent } : {}),
    ...(typeof diffId === "string" && isDigest(diffId) ? { diffId } : {}),
  };
}

/** Where a layer's files are. */
export function layerFolder({ driver, root }: StoreFolder, id: string): string {
  return driver === "vfs" ? join(root, "vfs/dir", id) : join(root, "overlay", id, "diff");
}

/** What the layer's tar was, beside its files. */
export function tarSplitOf({ driver, root }: StoreFolder, id: string): string {
  return join(root, `${driver}-layers`, `${id}.tar-split.gz`);
}

/** One of an image's own files: its configuration under its digest, a manifest under `manifest-DIGEST`; undefined where there is none. */
export async function bigData({ store, id }: PodmanImage, key: string): Promise<Uint8Array | undefined> {
  const name = /^[.0-9a-z]+$/.test(key) ? key : `=${Buffer.from(key).toString("base64")}`;
  return read(join(store.root, `${store.driver}-images`, id, name));
}

async function list(path: string): Promise<{ readonly [key: string]: Json }[]> {
  const bytes = await read(path);
  if (bytes === undefined || bytes.length === 0) return [];
  const json = parseJson(bytes);
  if (Array.isArray(json)) return json.filter(isObject);
  throw new ImageError(
    "image-store",
    path,
    `${path}: podman's store has something else there than a list`,
    "podman system check looks closer.",
  );
}

function read(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new ImageError("image-store", path, `${path}: podman's store cannot be read (${error.code ?? error.message})`, undefined, error);
  });
}
