// One layer into the store: locked, downloaded or read, verified as bytes arrive, unpacked at the same time, renamed into place.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ImageError, type PullProgress } from "../../ports/images.js";
import { syncFolder } from "../files/folders.js";
import type { Deadlines } from "./deadlines.js";
import { acquire, type Lock } from "./lock.js";
import type { Descriptor } from "./manifest.js";
import { hexOf } from "./reference.js";
import type { Repacker } from "./repack.js";
import { mismatch } from "./resolve.js";
import type { ImageSource } from "./source.js";
import { exists, type LayerNote, listIfThere, removeIfThere, type Store } from "./store.js";
import { type LayerLimits, recipeBeside, removeTrees, Unpacker } from "./unpack.js";

/** What all layers of a pull share. */
export interface LayerContext {
  readonly store: Store;
  readonly source: ImageSource;
  readonly reference: string;
  readonly podrt: string;
  readonly limits: LayerLimits;
  /** Layers may stay where the source has them unpacked, by a link. */
  readonly inPlace: boolean;
  /** Whether the blob of every layer is kept beside what it unpacks to. */
  readonly keepBlobs: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines: Deadlines;
  /** Aborted when another layer of the image failed. */
  readonly signal: AbortSignal;
  report(diffId: string, total: number, phase: PullProgress["phase"], bytes: number): void;
}

/**
 * Makes sure `diffId` is unpacked in the store. Of several processes one works, the others wait for it; if it dies, the
 * next goes on with what it had downloaded. Throws ImageError.
 */
export async function haveLayer(context: LayerContext, diffId: string, descriptor: Descriptor): Promise<void> {
  const { store } = context;
  // What was pulled never depends on what podman keeps.
  const present = () => (context.inPlace ? exists(store.layer(diffId)) : store.owns(diffId));
  if (await present()) return context.report(diffId, descriptor.size, "present", descriptor.size);
  const lock = await lockLayer(context, diffId, descriptor);
  try {
    if (await present()) return context.report(diffId, descriptor.size, "done", descriptor.size);
    await clearLeftovers(context, diffId);
    const linked = context.inPlace && (await (await import("./in-place.js")).linkLayer(context, diffId));
    if (!linked) await unpackVerified(context, diffId, descriptor, lock);
    context.report(diffId, descriptor.size, "done", descriptor.size);
  } finally {
    await lock.release(true);
  }
}

/** Waits for the lock as long as its holder gets on; shows the holder's progress as ours. */
async function lockLayer(context: LayerContext, diffId: string, descriptor: Descriptor): Promise<Lock> {
  const { store, deadlines, signal, reference } = context;
  let moved = Date.now();
  let last = -1;
  const lock = await acquire(store.layerLock(diffId), "exclusive", 1, async () => {
    const size = (await stat(store.partial(descriptor.digest)).catch(() => undefined))?.size ?? 0;
    if (size !== last) moved = Date.now();
    last = size;
    context.report(diffId, descriptor.size, size < descriptor.size ? "download" : "unpack", size);
    return !signal.aborted && Date.now() - moved < deadlines.lock;
  });
  if (lock !== undefined) return lock;
  signal.throwIfAborted();
  const hint = `It holds the lock ${store.layerLock(diffId)}; fuser -v shows which process that is.`;
  throw new ImageError("image-store", reference, `${reference}: another podgen works on the layer ${diffId} and does not get on`, hint);
}

/** What killed podgens left of this layer. We hold its lock, so nobody works on it. */
async function clearLeftovers({ store, podrt, env, deadlines }: LayerContext, diffId: string): Promise<void> {
  const folder = dirname(store.layer(diffId));
  const left = (await listIfThere(folder)).filter((name) => name.startsWith(`.tmp-${hexOf(diffId)}-`));
  await removeTrees(
    podrt,
    left.map((name) => join(folder, name)),
    env,
    deadlines.unpack,
  ); // prettier-ignore
}

async function unpackVerified(context: LayerContext, diffId: string, descriptor: Descriptor, lock: Lock): Promise<void> {
  const { store, source, podrt, env, deadlines, reference, limits } = context;
  const partial = store.partial(descriptor.digest);
  for (;;) {
    const kept = source.remote ? ((await stat(partial).catch(() => undefined))?.size ?? 0) : 0;
    const temporary = store.temporary(diffId);
    await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
    const unpacker = new Unpacker(podrt, temporary, limits, env, deadlines.unpack, lock.fd);
    try {
      await stream(context, diffId, descriptor, kept, unpacker);
      const result = await unpacker.end();
      if (!result.ok) {
        const code = result.fault === "image" ? "image-bad" : "image-store";
        throw new ImageError(
          code,
          reference,
          `${reference}: the layer ${diffId} cannot be unpacked: ${result.message}`,
          hintFor(result.message),
        );
      }
      if (result.diffId !== diffId) {
        throw mismatch(reference, `the layer ${descriptor.digest} unpacks to ${result.diffId}, its configuration says ${diffId}`);
      }
      await keep(context, diffId, descriptor, temporary, result.note);
      return;
    } catch (error) {
      await unpacker.kill();
      // Best effort: what is left has a name that never counts, and the next pull of the layer removes it.
      await removeTrees(podrt, [temporary, recipeBeside(temporary)], env, deadlines.unpack).catch(() => undefined);
      if (!(error instanceof ImageError) || error.code !== "image-digest-mismatch") throw error;
      // Bytes that are wrong are never kept. If some were from an earlier try (a crash may have torn them), one more is fair.
      await removeIfThere(partial);
      if (kept === 0) throw error;
    }
  }
}

/** All that stays of a layer of ours to keep: its blob too, where that is wished or all there is to make its bytes of again. */
async function keep(context: LayerContext, diffId: string, descriptor: Descriptor, temporary: string, note: LayerNote): Promise<void> {
  const blob = async () => {
    if (context.keepBlobs || !note.recipe) await keepBlob(context, descriptor);
  };
  await placeLayer(context, diffId, temporary, note, blob);
  await removeIfThere(context.store.partial(descriptor.digest));
}

/**
 * An unpacked layer under its name, the folder last: what has its name is whole, and all that is said of it is there. `before` is what
 * else must be. The caller holds the layer's lock.
 */
export async function placeLayer(
  { store, podrt, env }: Repacker,
  diffId: string,
  temporary: string,
  note: LayerNote,
  before: () => Promise<void> = async () => undefined,
): Promise<void> {
  const recipes = dirname(store.recipe(diffId));
  await mkdir(recipes, { recursive: true, mode: 0o700 });
  await store.removeNote(diffId);
  if (note.recipe) {
    await rename(recipeBeside(temporary), store.recipe(diffId));
    await syncFolder(recipes);
  }
  await store.writeNote(diffId, note);
  await before();
  await (await import("./in-place.js")).takeName({ podrt, env }, temporary, store.layer(diffId));
  await syncFolder(dirname(temporary));
}

/** The blob under its digest: what was downloaded for a resume, or read once more from where it lies. */
async function keepBlob(context: LayerContext, descriptor: Descriptor): Promise<void> {
  const { store, source, signal, reference } = context;
  const { digest } = descriptor;
  if (await exists(store.blob(digest))) return;
  if (!source.remote) {
    await removeIfThere(store.partial(digest));
    const file = await openPartial(store.partial(digest));
    try {
      const hash = createHash("sha256");
      for await (const piece of source.layer(descriptor, 0, signal)) {
        hash.update(piece);
        await file.appendFile(piece);
      }
      const found = `sha256:${hash.digest("hex")}`;
      if (found !== digest) throw mismatch(reference, `the layer ${digest} is ${found}`);
    } finally {
      await file.close();
    }
  }
  const file = await open(store.partial(digest), "r");
  await file.sync().finally(() => file.close());
  await rename(store.partial(digest), store.blob(digest));
  await syncFolder(dirname(store.blob(digest)));
}

/** Every byte of the layer through the hash and into podrt, those of a registry also into the partial file. */
async function stream(context: LayerContext, diffId: string, descriptor: Descriptor, kept: number, unpacker: Unpacker): Promise<void> {
  const { store, source, signal, reference } = context;
  const { digest, size } = descriptor;
  const hash = createHash("sha256");
  let count = 0;
  let alive = true;
  const take = async (piece: Uint8Array) => {
    signal.throwIfAborted();
    count += piece.length;
    if (count > size) throw mismatch(reference, `the layer ${digest} is longer than the ${size} bytes of its manifest`);
    hash.update(piece);
    // When podrt has given up, the rest still decides whether the bytes or podrt are to blame.
    alive = alive && (await unpacker.write(piece));
    context.report(diffId, size, "download", count);
  };
  context.report(diffId, size, "download", 0);
  const partial = source.remote ? await openPartial(store.partial(digest)) : undefined;
  try {
    if (kept > 0)
      for await (const piece of createReadStream(store.partial(digest), { end: kept - 1, highWaterMark: 256 * 1024 }))
        await take(piece as Uint8Array);
    for await (const piece of source.layer(descriptor, kept, signal)) {
      await partial?.appendFile(piece);
      await take(piece);
    }
  } finally {
    await partial?.close();
  }
  if (count !== size) throw mismatch(reference, `the layer ${digest} has ${count} bytes, its manifest says ${size}`);
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw mismatch(reference, `the layer ${digest} is ${found}`);
  context.report(diffId, size, "unpack", size);
}

function hintFor(message: string): string | undefined {
  if (!/No space left|quota exceeded/i.test(message)) return undefined;
  return "The disk is full: make room, then apply again; what was downloaded is kept.";
}

async function openPartial(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "a", 0o600);
  // Prune goes by age: a resumed download is a young one, also before its first new byte.
  await utimes(path, new Date(), new Date());
  return file;
}
