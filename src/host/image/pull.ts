// All of an image into the store: layers side by side, then the record that makes it present.
import type { ImageFacts } from "../../base/facts.js";
import { ImageError, type PullProgress } from "../../ports/images.js";
import type { Deadlines } from "./deadlines.js";
import { local } from "./failure.js";
import { haveLayer, type LayerContext } from "./layers.js";
import { acquire } from "./lock.js";
import type { Descriptor } from "./manifest.js";
import { inParallel } from "./parallel.js";
import type { ImageSource, Resolved } from "./source.js";
import type { Store } from "./store.js";

const PARALLEL = 3;
/** Between two progress steps of one layer, in milliseconds. */
const PROGRESS_EVERY = 100;

export interface PullOptions {
  readonly store: Store;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines: Deadlines;
  readonly limits: LayerContext["limits"];
  readonly keepBlobs: boolean;
  /** See LayerContext; the record then says where the image is from. */
  readonly inPlace?: boolean;
}

/**
 * Brings the layers of `resolved` that are missing, then records it under the reference. Every layer is announced by a first
 * progress step, bottom first. Throws ImageError; what was downloaded by then is kept for the next try.
 */
export async function pull(
  facts: ImageFacts,
  resolved: Resolved,
  source: () => Promise<ImageSource>,
  progress: (step: PullProgress) => void,
  options: PullOptions,
): Promise<void> {
  const { reference } = facts;
  const { store, deadlines, inPlace = false } = options;
  const present = (diffId: string) => (inPlace ? store.hasLayers([diffId]) : store.owns(diffId));
  // A prune must not take away layers that no record names yet.
  const lock = await local(reference, () => acquire(store.storeLock, "shared", 1, within(deadlines.lock)));
  if (lock === undefined) throw new ImageError("image-store", reference, `${reference}: the store is locked for pruning and stays so`);
  try {
    const layers = unique(resolved);
    const report = throttled(reference, progress);
    for (const [diffId, descriptor] of layers) {
      const there = await present(diffId);
      report(diffId, descriptor.size, there ? "present" : "download", there ? descriptor.size : 0);
    }
    const missing = (await Promise.all(layers.map(async (layer) => ((await present(layer[0])) ? [] : [layer])))).flat();
    if (missing.length > 0) {
      const stop = new AbortController();
      const from = await source();
      // The manifest may be the store's own, of a time when the policy wanted less.
      await from.admit?.(resolved.manifest);
      const context: LayerContext = { ...options, inPlace, source: from, reference, signal: stop.signal, report };
      await inParallel(missing, PARALLEL, stop, ([diffId, descriptor]) => local(reference, () => haveLayer(context, diffId, descriptor)));
    }
    await local(reference, async () => {
      await store.writeBlob(resolved.configDigest, resolved.configBytes);
      await store.writeBlob(resolved.digest, resolved.manifest);
      await store.writeRecord({
        version: 1,
        named: resolved.named,
        configDigest: resolved.configDigest,
        facts,
        ...(inPlace ? { origin: "containers-storage" as const } : {}),
      });
    });
  } finally {
    await lock.release();
  }
}

/** diff_id -> blob, each diff_id once: images repeat the empty layer, for one. */
function unique({ configuration, layers }: Resolved): [string, Descriptor][] {
  return [...new Map(configuration.diffIds.map((diffId, i) => [diffId, layers[i] as Descriptor]))];
}

/** A step is passed on when its phase is new, or some time has passed since the layer's last. */
function throttled(reference: string, progress: (step: PullProgress) => void): LayerContext["report"] {
  const last = new Map<string, { phase: string; time: number }>();
  return (layer, total, phase, bytes) => {
    const time = performance.now();
    const before = last.get(layer);
    if (before?.phase === phase && time - before.time < PROGRESS_EVERY) return;
    last.set(layer, { phase, time });
    progress({ reference, layer, phase, bytes, total });
  };
}

function within(milliseconds: number): () => boolean {
  const end = Date.now() + milliseconds;
  return () => Date.now() < end;
}
