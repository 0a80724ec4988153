// The lists port: every change is read, made and written under one lock; what is fetched for it is fetched before.
import { machine } from "node:os";
import { join } from "node:path";
import type { ImageLists } from "../../../ports/image-lists.js";
import { ImageError } from "../../../ports/images.js";
import type { Content } from "../copy/content.js";
import { openContent, registryOf } from "../copy/endpoint.js";
import { DEADLINES, type Deadlines } from "../deadlines.js";
import { local } from "../failure.js";
import { acquire, type Lock } from "../lock.js";
import { hostPlatform, type Platform } from "../platform.js";
import { Store } from "../store.js";
import { entriesOf, worded } from "./add.js";
import { ListContent } from "./content.js";
import { indexOf, type ListRecord, type RecordedEntry, readList, recordOf, removeList, type Stored, writeList } from "./record.js";

export interface ListsOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines?: Partial<Deadlines>;
}

const LOCK_MS = 10_000;

/** Reads nothing and makes nothing until it is asked. */
export function createLists(options: ListsOptions): ImageLists {
  const store = new Store(options.data);
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const host = hostPlatform(process.arch, machine());

  async function existing(reference: string): Promise<ListRecord> {
    const record = await readList(store, reference);
    if (record !== undefined) return record;
    const hint = `podgen image manifest create ${reference}`;
    throw new ImageError("image-not-found", reference, `${reference}: there is no such manifest list`, hint);
  }

  async function change<T>(reference: string, work: () => Promise<T>): Promise<T> {
    return local(reference, async () => {
      const lock = await locked(join(store.root, "locks/lists"), "exclusive", reference);
      try {
        return await work();
      } finally {
        await lock.release();
      }
    });
  }

  /** Of an image of the store, what keeps it there; the caller holds the store's lock. */
  async function storedIn(reference: string): Promise<Stored> {
    const { configDigest, facts } = (await store.record(reference)) ?? {};
    if (facts === undefined || configDigest === undefined)
      throw new ImageError("image-not-found", reference, `${reference} is not in the store`, "podgen image ls lists what is.");
    return { configDigest, layers: facts.layers };
  }

  /** The image as it was pulled: its own manifest, though its layers may be given in other blobs. */
  async function ofStore(reference: string, platform: Platform): Promise<RecordedEntry[]> {
    const content = await openContent(`store:${reference}`, { ...options, deadlines, platform });
    try {
      const own = (await content.before?.(""))?.manifest;
      const as: Content =
        own === undefined
          ? content
          : { text: content.text, top: async () => own, manifest: async () => own, layer: (...of) => content.layer(...of) };
      const stored = await storedIn(reference);
      return (await entriesOf(as, false, platform)).map((entry) => ({ ...entry, source: `store:${reference}`, stored }));
    } finally {
      await content.close?.();
    }
  }

  async function ofRegistry(place: string, all: boolean, platform: Platform): Promise<RecordedEntry[]> {
    const registry = registryOf(place);
    if (registry === undefined) throw new ImageError("image-bad", place, `${place} is neither in a registry nor in the store`);
    const content = await openContent(place, { ...options, deadlines, platform });
    const source = `docker://${registry.host}/${registry.repository}`;
    return (await entriesOf(content, all, platform)).map((entry) => ({ ...entry, source: `${source}@${entry.digest}` }));
  }

  return {
    get: async (reference) => readList(store, reference),
    index: async (reference) => indexOf(await existing(reference)).bytes,
    create: (reference, { amend, annotations }) =>
      change(reference, async () => {
        const there = await readList(store, reference);
        if (there === undefined) return writeList(store, { version: 1, reference, annotations, entries: [] });
        if (!amend) throw new ImageError("image-bad", reference, `${reference}: there is such a list already`, "--amend adds to it.");
        await writeList(store, { ...there, annotations: { ...there.annotations, ...annotations } });
      }),
    add: (reference, place, { all, choose, words }) =>
      local(place, async () => {
        await existing(reference);
        const own = place.startsWith("store:");
        // Nothing of the store is removed between the look at an image and the list that keeps it.
        const hold = own ? await locked(store.storeLock, "shared", reference) : undefined;
        try {
          const wanted = choose ?? host;
          const found = own ? await ofStore(place.slice("store:".length), host) : await ofRegistry(place, all, wanted);
          if (found.length > 1 && (words.platform !== undefined || words.annotations !== undefined))
            throw new ImageError("image-bad", place, `${place}: what is said of one image cannot be said of ${found.length}`);
          const added = found.map((entry) => worded(entry, words));
          await change(reference, async () => {
            const record = await existing(reference);
            const others = record.entries.filter((e) => !added.some((a) => a.digest === e.digest));
            await writeList(store, { ...record, entries: [...others, ...added] });
          });
          return added.map((entry) => entry.digest);
        } finally {
          await hold?.release();
        }
      }),
    annotate: (reference, entry, words) =>
      change(reference, async () => {
        const record = await existing(reference);
        if (entry === undefined) return writeList(store, { ...record, annotations: { ...record.annotations, ...words.annotations } });
        const meant = entryOf(record, entry);
        await writeList(store, { ...record, entries: record.entries.map((e) => (e === meant ? worded(e, words) : e)) });
      }),
    drop: (reference, entry) =>
      change(reference, async () => {
        const record = await existing(reference);
        const meant = entryOf(record, entry);
        await writeList(store, { ...record, entries: record.entries.filter((e) => e !== meant) });
        return meant.digest;
      }),
    remove: (reference) => change(reference, () => removeList(store, reference)),
  };
}

async function locked(path: string, mode: "shared" | "exclusive", what: string): Promise<Lock> {
  const end = Date.now() + LOCK_MS;
  const lock = await acquire(path, mode, 1, () => Date.now() < end);
  if (lock !== undefined) return lock;
  throw new ImageError("image-store", what, `${what}: another podgen works on the store`, `fuser -v ${path} shows which process.`);
}

function entryOf({ reference, entries }: ListRecord, word: string): RecordedEntry {
  const hex = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(word)?.[1];
  const found = hex === undefined ? [] : entries.filter((e) => e.digest.slice("sha256:".length).startsWith(hex));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  const hint = entries.length === 0 ? "It is empty." : `It has ${entries.map((e) => e.digest).join(", ")}.`;
  throw new ImageError(
    "image-not-found",
    reference,
    `${reference} has ${found.length === 0 ? "no image" : "several images"} ${word}`,
    hint,
  );
}

/** The list as something to copy; `original`: its index alone. Throws ImageError image-not-found. */
export async function openList(reference: string, options: Parameters<typeof openContent>[1], original: boolean): Promise<Content> {
  const store = new Store(options.data);
  const record = await readList(store, reference);
  if (record === undefined) throw new ImageError("image-not-found", reference, `${reference}: there is no such manifest list`);
  const { StoreContent } = await import("../copy/store-content.js");
  const repacker = { store, podrt: options.podrt, env: options.env };
  const open = async (entry: RecordedEntry) => {
    const stored = recordOf(entry, entry.source.slice("store:".length));
    if (stored === undefined) return openContent(entry.source, options);
    return StoreContent.ofRecord(repacker, stored.facts.reference, async () => stored, options.platform);
  };
  return new ListContent(record, open, original);
}
