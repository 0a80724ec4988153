// What removing images needs: list, forget, and free what no image uses any more.
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImageFacts } from "../../base/facts.js";
import type { Needs } from "../../ports/image-store.js";
import { ImageError } from "../../ports/images.js";
import { DEADLINES } from "./deadlines.js";
import { isObject, type Json, parseJson, strings } from "./json.js";
import { listedImages, readLists } from "./lists/record.js";
import { acquire } from "./lock.js";
import { mountedAnywhere } from "./mounts.js";
import { isDigest } from "./reference.js";
import { dropShiftedLocked } from "./shift.js";
import { exists, listIfThere, removeIfThere, Store } from "./store.js";
import { removeTrees } from "./unpack.js";

export interface PruneOptions {
  readonly data: string;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asked once the lock is held: an apply that holds it before us has named by then what it needs. */
  readonly needs: () => Promise<Needs>;
}

/** A cut download is worth keeping for so long, in milliseconds. */
const PARTIAL_AGE = 7 * 24 * 3600 * 1000;

/** An apply names a shifted layer in the manifest well within this time, in milliseconds. */
const SHIFTED_AGE = 10 * 60 * 1000;

export interface Pruned {
  /** diff_ids of the layers removed. */
  readonly layers: readonly string[];
  readonly blobs: number;
}

/** All images in the store, by reference. */
export async function listImages(data: string): Promise<ImageFacts[]> {
  return (await new Store(data).records()).map((record) => record.facts);
}

/** Forgets a reference; what only it needed goes with the next prune. False when it was not there. */
export function forgetImage(data: string, reference: string): Promise<boolean> {
  return new Store(data).removeRecord(reference);
}

/**
 * Removes layers and blobs that neither a record nor a pinned digest needs, and what killed podgens left behind. Waits for
 * pulls that are under way, at most `wait` milliseconds; undefined when they took longer.
 */
export async function prune(options: PruneOptions, wait: number): Promise<Pruned | undefined> {
  const store = new Store(options.data);
  if (!(await exists(store.root))) {
    // Who asks may have words for names that are not there.
    await options.needs();
    return { layers: [], blobs: 0 };
  }
  const end = Date.now() + wait;
  const lock = await acquire(store.storeLock, "exclusive", wait === 0 ? 0 : 1, () => Date.now() < end);
  if (lock === undefined) return undefined;
  try {
    const { pinned, shifted } = await options.needs();
    await refuseDamaged(store);
    if (shifted !== undefined) await dropShiftedLocked({ store, ...options }, new Set(shifted), SHIFTED_AGE);
    const { layers, blobs, unclear } = await needed(store, [...pinned, ...(await mountedAnywhere())]);
    if (unclear.length > 0) throw unclearPins(unclear);
    const removed = await removeLayers(store, layers, options);
    return { layers: removed, blobs: await removeBlobs(store, blobs) };
  } finally {
    await lock.release();
  }
}

export interface Needed {
  /** Hex names. */
  readonly layers: ReadonlySet<string>;
  readonly blobs: ReadonlySet<string>;
  /** Pinned digests of which the layers cannot be told: their manifest or configuration is gone or damaged, and no record has them. */
  readonly unclear: readonly string[];
}

/** What the records and the pinned manifests lead to. */
export async function needed(store: Store, pinned: readonly string[]): Promise<Needed> {
  const unclear: string[] = [];
  const recorded = new Set<string>();
  const layers = new Set<string>();
  const blobs = new Set<string>();
  const keepManifest = async (digest: string) => {
    const manifest = parseJson((await store.readBlob(digest)) ?? new Uint8Array());
    blobs.add(digest.slice(7));
    for (const blob of layerBlobs(manifest)) blobs.add(blob.slice(7));
    return manifest;
  };
  for (const { facts, configDigest } of [...(await store.records()), ...(await listedImages(store))]) {
    for (const layer of facts.layers) layers.add(layer.slice(7));
    blobs.add(configDigest.slice(7));
    recorded.add(facts.digest);
    await keepManifest(facts.digest);
  }
  for (const digest of pinned) {
    const { config, diffIds } = await layersOf(store, await keepManifest(digest));
    if (config !== undefined) blobs.add(config.slice(7));
    if (diffIds === undefined && !recorded.has(digest)) unclear.push(digest);
    for (const layer of diffIds ?? []) layers.add(layer.slice(7));
  }
  return { layers, blobs, unclear };
}

/** The layers of a manifest by its configuration; undefined where either is gone or damaged. */
async function layersOf(store: Store, manifest: Json | undefined): Promise<{ config: string | undefined; diffIds: string[] | undefined }> {
  const named = isObject(manifest) && isObject(manifest["config"]) ? manifest["config"]["digest"] : undefined;
  const config = typeof named === "string" ? named : undefined;
  const json = config !== undefined && isDigest(config) ? parseJson((await store.readBlob(config)) ?? new Uint8Array()) : undefined;
  const rootfs = isObject(json) ? json["rootfs"] : undefined;
  return { config, diffIds: isObject(rootfs) ? strings(rootfs["diff_ids"]) : undefined };
}

/** The pods that run on each layer, by diff_id; `running`: pods by the digest of their image's manifest. */
export async function layersInUse(store: Store, running: ReadonlyMap<string, readonly string[]>): Promise<Map<string, string[]>> {
  const used = new Map<string, string[]>();
  for (const [digest, pods] of running) {
    const { diffIds } = await layersOf(store, parseJson((await store.readBlob(digest)) ?? new Uint8Array()));
    for (const layer of diffIds ?? []) used.set(layer, [...(used.get(layer) ?? []), ...pods]);
  }
  return used;
}

/** What a damaged record needs cannot be told, so that nothing is known to be needed by nobody. */
async function refuseDamaged(store: Store): Promise<void> {
  const images = (await store.damagedRecords()).map((name) => `images/${name}`);
  const lists = (await readLists(store)).damaged.map((name) => `lists/${name}`);
  const [first] = [...images, ...lists];
  if (first === undefined) return;
  const path = join(store.root, first);
  const hint = "podgen image fsck --repair takes it away; pull again what is missed then, and prune.";
  throw new ImageError("image-store", path, `${path} is damaged: what its image needs cannot be told, so nothing is removed`, hint);
}

function unclearPins(digests: readonly string[]): ImageError {
  const [first = ""] = digests;
  const hint = "podgen image fsck --repair, or apply the pod that needs it again, or delete it; then prune.";
  return new ImageError("image-store", first, `${first}: a pod needs this image, and which layers it has cannot be told any more`, hint);
}

/** Digests of the layers' blobs, which are there only where blobs are kept. */
function layerBlobs(manifest: Json | undefined): string[] {
  const layers = isObject(manifest) && Array.isArray(manifest["layers"]) ? manifest["layers"] : [];
  return layers.flatMap((l) => (isObject(l) && typeof l["digest"] === "string" ? [l["digest"]] : []));
}

async function removeLayers(store: Store, keep: ReadonlySet<string>, { podrt, env }: PruneOptions): Promise<string[]> {
  const folder = join(store.root, "layers");
  const removed: string[] = [];
  const doomed: string[] = [];
  for (const name of await listIfThere(folder)) {
    // Nobody pulls while we hold the store's lock, so every temporary name is a leftover.
    if (name.startsWith(".tmp-")) doomed.push(join(folder, name));
    if (!/^[0-9a-f]{64}$/.test(name) || keep.has(name)) continue;
    // Renamed first: a layer that is half removed must not count as present.
    const away = store.temporary(`sha256:${name}`);
    await rename(join(folder, name), away);
    removed.push(`sha256:${name}`);
    doomed.push(away);
  }
  await removeTrees(podrt, doomed, env, DEADLINES.unpack);
  for (const diffId of await store.noted()) if (!(await exists(store.layer(diffId)))) await store.removeNote(diffId);
  return removed;
}

async function removeBlobs(store: Store, keep: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  const folder = join(store.root, "blobs/sha256");
  for (const name of await listIfThere(folder)) {
    const path = join(folder, name);
    if (/^[0-9a-f]{64}$/.test(name) && !keep.has(name)) removed += Number(await removeIfThere(path));
    if (name.endsWith(".partial") && (await ageOf(path)) > PARTIAL_AGE) await removeIfThere(path);
    if (name.endsWith(".tmp")) await removeIfThere(path);
  }
  for (const kind of ["images", "lists"])
    for (const name of await listIfThere(join(store.root, kind)))
      if (name.endsWith(".tmp")) await removeIfThere(join(store.root, kind, name));
  // A pull that was killed with its layer just in place leaves its lock. Nobody holds one while we hold the store's.
  for (const name of await listIfThere(join(store.root, "locks"))) {
    if (/^[0-9a-f]{64}$/.test(name)) await removeIfThere(join(store.root, "locks", name));
  }
  return removed;
}

async function ageOf(path: string): Promise<number> {
  return Date.now() - (await stat(path)).mtimeMs;
}
