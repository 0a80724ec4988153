// The image-store port: what `podgen image …` asks of the store.
import { mkdir } from "node:fs/promises";
import { machine } from "node:os";
import { dirname, join } from "node:path";
import type { ArchivedImage, ArchiveFormat, ImageStore, Needs, StoredImage } from "../../ports/image-store.js";
import { ImageError, type PullProgress } from "../../ports/images.js";
import { readStorage } from "../facts/storage.js";
import { run } from "../process/run.js";
import { DEADLINES } from "./deadlines.js";
import { local } from "./failure.js";
import { createImages } from "./index.js";
import { isObject, parseJson } from "./json.js";
import { acquire, type Lock } from "./lock.js";
import { mountedHere } from "./mounts.js";
import { openSource } from "./open.js";
import { hostPlatform } from "./platform.js";
import { prune } from "./prune.js";
import { hexOf, parseReference } from "./reference.js";
import { factsOf } from "./source.js";
import { exists, type ImageRecord, Store } from "./store.js";

export interface StoreOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** `$XDG_RUNTIME_DIR/podgen`, below which images are mounted; where they are not, it is not needed. */
  readonly run?: string;
  /** The podrt that works inside the user namespace. */
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `$XDG_CONFIG_HOME/podgen`, where storage.json may be. */
  readonly settings: string;
  /** How long a lock that others hold is waited for, in milliseconds. */
  readonly wait?: number;
}

/** The store of images in `data`. Reads nothing and makes nothing until it is asked. */
export function createImageStore(options: StoreOptions): ImageStore {
  const { podrt, env, wait = 10_000 } = options;
  const store = new Store(options.data);
  const repacker = { store, podrt, env };
  const host = hostPlatform(process.arch, machine());

  /** Runs `work` under the store's lock: with `shared` nothing is removed meanwhile, with `exclusive` nothing comes either. */
  async function locked<T>(mode: "shared" | "exclusive", what: string, work: () => Promise<T>): Promise<T> {
    const lock = await lockStore(mode, what);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  async function lockStore(mode: "shared" | "exclusive", what: string): Promise<Lock> {
    const end = Date.now() + wait;
    const lock = await local(what, () => acquire(store.storeLock, mode, 1, () => Date.now() < end));
    if (lock !== undefined) return lock;
    throw new ImageError(
      "image-store",
      what,
      `${what}: another podgen works on the store`,
      `fuser -v ${store.storeLock} shows which process.`,
    );
  }

  async function record(reference: string): Promise<ImageRecord> {
    const found = await store.record(reference);
    if (found !== undefined) return found;
    throw new ImageError("image-not-found", reference, `${reference} is not in the store`, "podgen image ls lists what is.");
  }

  async function usage(pinned: readonly string[]) {
    return (await import("./usage.js")).usageOf(store, pinned);
  }

  async function pruned(needs: () => Promise<Needs>) {
    const total = async () => {
      const { layers, blobs, downloads } = await usage([]);
      return layers.bytes + blobs.bytes + downloads.bytes;
    };
    const before = await total();
    const done = await prune({ data: options.data, podrt, env, needs }, wait);
    return done === undefined ? undefined : { ...done, bytes: before - (await total()) };
  }

  async function fsck(wishes: Parameters<ImageStore["fsck"]>[0]) {
    if (!(await exists(store.root))) return [];
    const { survey } = await import("./fsck.js");
    const { findings, lacking } = await locked(wishes.repair ? "exclusive" : "shared", "fsck", () => survey(repacker, wishes));
    if (!wishes.repair) return findings;
    // Without the lock: a pull takes its own.
    const outcome = new Map<string, string | undefined>();
    for (const { facts } of lacking) {
      const fetched = createImages(options).ensure(facts, () => undefined);
      outcome.set(
        facts.reference,
        await fetched.then(
          () => undefined,
          (error: Error) => error.message,
        ),
      ); // prettier-ignore
    }
    // What cannot be fetched under one of its names may have come under another.
    for (const { facts } of lacking) if (await createImages(options).has(facts)) outcome.set(facts.reference, undefined);
    return findings.map((f) => {
      if (f.mended !== undefined || f.weight === "note" || !f.images.some((name) => outcome.has(name))) return f;
      const failed = f.images.map((name) => outcome.get(name)).find((why) => why !== undefined);
      return failed === undefined ? { ...f, mended: "fetched anew" } : { ...f, detail: `${f.detail}; fetching it anew failed: ${failed}` };
    });
  }

  async function* save(images: Parameters<ImageStore["save"]>[0], format: ArchiveFormat): AsyncGenerator<Uint8Array> {
    const [{ saveArchive, checkNames }, { StoredSource }] = await Promise.all([import("./save.js"), import("./stored.js")]);
    checkNames(images);
    const lock = await lockStore("shared", "save");
    try {
      const saved = [];
      for (const { reference, names } of images) {
        const source = new StoredSource(repacker, await record(reference), host);
        saved.push({ source, resolved: await source.resolve(), names });
      }
      yield* saveArchive(saved, format, repacker);
    } finally {
      await lock.release();
    }
  }

  async function load(image: ArchivedImage, names: readonly string[], progress: (step: PullProgress) => void): Promise<string> {
    const [{ pull }, { keepBlobs, layerLimits: limits }] = await Promise.all([import("./pull.js"), readStorage(options.settings)]);
    const source = await openSource(parseReference(image.source), host, { deadlines: DEADLINES, env, podrt, logins: [] });
    const resolved = await source.resolve();
    for (const name of names) {
      const facts = factsOf(name, resolved);
      await pull(facts, resolved, async () => source, progress, { store, podrt, env, deadlines: DEADLINES, limits, keepBlobs });
    }
    return resolved.digest;
  }

  async function commit(wish: Parameters<ImageStore["commit"]>[0]) {
    const [{ commitContainer }, { layerLimits: limits }] = await Promise.all([import("./commit.js"), readStorage(options.settings)]);
    // A prune must not take away the layer that no record names yet.
    const lock = await lockStore("shared", wish.name);
    try {
      return await commitContainer({ ...repacker, host, limits, lock }, wish);
    } finally {
      await lock.release();
    }
  }

  const mountPoint = (digest: string) => join(options.run ?? "/run/podgen", "mounts", hexOf(digest));

  /** Throws ImageError image-refused, in podrt's words, where it cannot be. */
  async function mountWords(reference: string, verb: string, digest: string, ...words: string[]) {
    const folder = mountPoint(digest);
    const { code, stderr, failure } = await run(
      [podrt, verb, "--at", dirname(folder), "--name", hexOf(digest), ...words],
      DEADLINES.unpack,
      env,
    );
    if (code === 0) return folder;
    const why = stderr.trim().split("\n").at(-1) || failure || `exit code ${code}`;
    const hint = /busy/.test(why) ? "Somebody is in it: --force." : "podgen unshare gives a shell in which images can be mounted.";
    throw new ImageError("image-refused", reference, `${reference}: ${why}`, hint);
  }

  async function mount(reference: string): Promise<string> {
    return locked("shared", reference, async () => {
      const { facts } = await record(reference);
      if (!(await store.hasLayers(facts.layers))) throw incomplete(reference);
      await mkdir(dirname(mountPoint(facts.digest)), { recursive: true, mode: 0o700 });
      return mountWords(reference, "mount", facts.digest, ...facts.layers.map((layer) => store.layer(layer)));
    });
  }

  return {
    list: async () => Promise.all((await store.records()).map((found) => describe(store, found))),
    history: async (reference) => (await import("./history.js")).historyOf(store, await record(reference)),
    usage,
    folders: async (reference) => {
      const { facts } = await record(reference);
      if (!(await store.hasLayers(facts.layers))) throw incomplete(reference);
      return facts.layers.map((layer) => store.layer(layer));
    },
    tag: (reference, name) =>
      local(reference, () =>
        locked("shared", reference, async () => {
          const found = await record(reference);
          await store.writeRecord({ ...found, facts: { ...found.facts, reference: name } });
        }),
      ),
    untag: (reference) => local(reference, () => store.removeRecord(reference)),
    prune: (needs) => local("prune", () => pruned(needs)),
    fsck: (wishes) => local("fsck", () => fsck(wishes)),
    save,
    contents: async (path) => (await import("./load.js")).contentsOf(path),
    load: (image, names, progress) => local(image.source, () => load(image, names, progress)),
    mount: (reference) => local(reference, () => mount(reference)),
    unmount: async (digest, force) => {
      if (!(await mountedHere()).includes(digest)) return false;
      await mountWords(digest, "unmount", digest, ...(force ? ["--lazy"] : []));
      return true;
    },
    mounts: async () => (await mountedHere()).map((digest) => ({ digest, folder: mountPoint(digest) })),
    commit: (wish) => local(wish.name, () => commit(wish)),
  };
}

function incomplete(reference: string): ImageError {
  return new ImageError(
    "image-store",
    reference,
    `${reference}: not all of its layers are there`,
    "podgen image fsck --repair fetches them.",
  );
}

/** What a listing shows of a record; what its blobs cannot say any more is left out. */
async function describe(store: Store, { facts, configDigest, origin }: ImageRecord): Promise<StoredImage> {
  const [manifest, config] = await Promise.all(
    [facts.digest, configDigest].map(async (digest) => parseJson((await store.readBlob(digest)) ?? new Uint8Array())),
  );
  const sizes =
    isObject(manifest) && Array.isArray(manifest["layers"]) ? manifest["layers"].map((l) => (isObject(l) ? Number(l["size"]) : 0)) : [];
  const created = isObject(config) ? config["created"] : undefined;
  return {
    reference: facts.reference,
    ...(origin === undefined ? {} : { origin }),
    digest: facts.digest,
    configDigest,
    ...(typeof created === "string" && !Number.isNaN(Date.parse(created)) ? { created } : {}),
    size: sizes.reduce((sum, size) => sum + (Number.isSafeInteger(size) ? size : 0), 0),
    layers: facts.layers,
  };
}
