// The image-store port: what `podgen image …` asks of the store.
import type { ImageStore, StoredImage } from "../../ports/image-store.js";
import { isObject, parseJson } from "./json.js";
import { type ImageRecord, Store } from "./store.js";

export interface StoreOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** The podrt that works inside the user namespace. */
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The store of images in `data`. Reads nothing and makes nothing until it is asked. */
export function createImageStore(options: StoreOptions): ImageStore {
  const store = new Store(options.data);
  return {
    list: async () => Promise.all((await store.records()).map((record) => describe(store, record))),
  };
}

/** What a listing shows of a record; what its blobs cannot say any more is left out. */
async function describe(store: Store, { facts, configDigest }: ImageRecord): Promise<StoredImage> {
  const [manifest, config] = await Promise.all(
    [facts.digest, configDigest].map(async (digest) => parseJson((await store.readBlob(digest)) ?? new Uint8Array())),
  );
  const sizes =
    isObject(manifest) && Array.isArray(manifest["layers"]) ? manifest["layers"].map((l) => (isObject(l) ? Number(l["size"]) : 0)) : [];
  const created = isObject(config) ? config["created"] : undefined;
  return {
    reference: facts.reference,
    digest: facts.digest,
    configDigest,
    ...(typeof created === "string" && !Number.isNaN(Date.parse(created)) ? { created } : {}),
    size: sizes.reduce((sum, size) => sum + (Number.isSafeInteger(size) ? size : 0), 0),
    layers: facts.layers,
  };
}
