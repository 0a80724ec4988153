// What removing images needs: list, forget, and free what no image uses any more.
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImageFacts } from "../../base/facts.js";
import { DEADLINES } from "./deadlines.js";
import { isObject, parseJson, strings } from "./json.js";
import { acquire } from "./lock.js";
import { exists, listIfThere, removeIfThere, Store } from "./store.js";
import { removeTrees } from "./unpack.js";

export interface PruneOptions {
  readonly data: string;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Manifest digests of running and installed pods: kept, also when their reference has moved on to another image. */
  readonly pinned: readonly string[];
}

/** A cut download is worth keeping for so long, in milliseconds. */
const PARTIAL_AGE = 7 * 24 * 3600 * 1000;

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
  if (!(await exists(store.root))) return { layers: [], blobs: 0 };
  const end = Date.now() + wait;
  const lock = await acquire(store.storeLock, "exclusive", wait === 0 ? 0 : 1, () => Date.now() < end);
  if (lock === undefined) return undefined;
  try {
    const { layers, blobs } = await needed(store, options.pinned);
    const removed = await removeLayers(store, layers, options);
    return { layers: removed, blobs: await removeBlobs(store, blobs) };
  } finally {
    await lock.release();
  }
}

/** What the records and the pinned manifests lead to, as hex names. */
async function needed(store: Store, pinned: readonly string[]): Promise<{ layers: Set<string>; blobs: Set<string> }> {
  const layers = new Set<string>();
  const blobs = new Set<string>();
  for (const { facts, configDigest } of await store.records()) {
    for (const layer of facts.layers) layers.add(layer.slice(7));
    blobs.add(facts.digest.slice(7)).add(configDigest.slice(7));
  }
  for (const digest of pinned) {
    blobs.add(digest.slice(7));
    const manifest = parseJson((await store.readBlob(digest)) ?? new Uint8Array());
    const config = isObject(manifest) && isObject(manifest["config"]) ? manifest["config"]["digest"] : undefined;
    if (typeof config !== "string") continue;
    blobs.add(config.slice(7));
    const json = parseJson((await store.readBlob(config)) ?? new Uint8Array());
    const rootfs = isObject(json) ? json["rootfs"] : undefined;
    for (const layer of (isObject(rootfs) && strings(rootfs["diff_ids"])) || []) layers.add(layer.slice(7));
  }
  return { layers, blobs };
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
  for (const name of await listIfThere(join(store.root, "images"))) {
    if (name.endsWith(".tmp")) await removeIfThere(join(store.root, "images", name));
  }
  // A pull that was killed with its layer just in place leaves its lock. Nobody holds one while we hold the store's.
  for (const name of await listIfThere(join(store.root, "locks"))) {
    if (/^[0-9a-f]{64}$/.test(name)) await removeIfThere(join(store.root, "locks", name));
  }
  return removed;
}

async function ageOf(path: string): Promise<number> {
  return Date.now() - (await stat(path)).mtimeMs;
}
