// What the store takes, and what of it nobody needs.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { StorageUse, Usage } from "../../ports/image-store.js";
import { needed } from "./prune.js";
import { listIfThere, type Store } from "./store.js";

/** Sizes in bytes. Of a layer that of its tar: what it takes on disk, but for the file system's own. */
export async function usageOf(store: Store, pinned: readonly string[]): Promise<Usage> {
  const keep = await needed(store, pinned);
  const [layers, blobs, downloads] = [counter(), counter(), counter()];
  let unknown = 0;
  const present = new Set((await listIfThere(join(store.root, "layers"))).filter((n) => /^[0-9a-f]{64}$/.test(n)));
  for (const hex of present) {
    const note = await store.note(`sha256:${hex}`);
    const own = await store.owns(`sha256:${hex}`);
    if (note === undefined && own) unknown++;
    // What is podman's takes nothing here.
    layers.add(own ? (note?.size ?? 0) : 0, keep.layers.has(hex));
  }
  const folder = join(store.root, "blobs/sha256");
  for (const name of await listIfThere(folder)) {
    const size = (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
    if (/^[0-9a-f]{64}$/.test(name)) blobs.add(size, keep.blobs.has(name));
    else downloads.add(size, false);
  }
  const records = await store.records();
  const uses = new Map<string, Set<string>>();
  for (const { facts } of records) for (const layer of facts.layers) uses.set(layer, (uses.get(layer) ?? new Set()).add(facts.digest));
  const images = await Promise.all(
    records.map(async ({ facts }) => {
      const sizes = await Promise.all(
        [...new Set(facts.layers)].map(async (l) => ({ own: uses.get(l)?.size === 1, size: (await store.note(l))?.size ?? 0 })),
      );
      const sum = (some: typeof sizes) => some.reduce((total, { size }) => total + size, 0);
      return {
        reference: facts.reference,
        digest: facts.digest,
        unique: sum(sizes.filter((s) => s.own)),
        shared: sum(sizes.filter((s) => !s.own)),
      };
    }),
  );
  return { layers: layers.use, blobs: blobs.use, downloads: downloads.use, unknown, images };
}

function counter() {
  const use = { count: 0, bytes: 0, freeable: 0 };
  const add = (bytes: number, needed: boolean) => {
    use.count++;
    use.bytes += bytes;
    if (!needed) use.freeable += bytes;
  };
  return { add, use: use as StorageUse };
}
