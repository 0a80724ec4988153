// A store in a folder of its own, with the real podrt, and what tests ask about it.
import { access, lstat, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createImages, type ImageOptions } from "../../src/host/image/index.js";
import { createImageStore } from "../../src/host/image/manage.js";
import { prune } from "../../src/host/image/prune.js";
import { removeTrees } from "../../src/host/image/unpack.js";
import type { ImageStore } from "../../src/ports/image-store.js";
import { ImageError, type Images, type PullPolicy, type PullProgress } from "../../src/ports/images.js";

/** The podrt that was built for the tests. */
export const podrt = join(process.env["PODGEN_TEST_DIST"] ?? resolve("dist"), "podrt");

export interface TestStore {
  readonly folder: string;
  /** What createImages was given. */
  readonly options: ImageOptions;
  readonly images: Images;
  /** The port of those who look after the store; its locks wait a second. */
  readonly manage: ImageStore;
  /** A port of its own over the same store, as another podgen has it. */
  again(change?: Partial<ImageOptions>): Images;
  /** inspect, then ensure; returns the steps. */
  pull(reference: string, policy?: PullPolicy): Promise<PullProgress[]>;
  layerPath(diffId: string): string;
  /** Paths below storage that may be there only while somebody works: temporary folders, partial blobs, layer locks. */
  leftovers(): Promise<string[]>;
  prune(pinned?: readonly string[]): ReturnType<typeof prune>;
  remove(): Promise<void>;
}

/** Short deadlines, so that faults show soon. */
export const QUICK = {
  connect: 1000,
  headers: 1000,
  idle: 1000,
  window: 3000,
  windowBytes: 4096,
  attempts: 3,
  backoff: 10,
  retryAfter: 3000,
  unpack: 20_000,
  whole: 60_000,
  lock: 5000,
};

export async function makeStore(change: Partial<ImageOptions> = {}): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), "podgen-store-"));
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder };
  const settings = join(folder, "settings");
  const options: ImageOptions = { data: join(folder, "data"), podrt, env, settings, deadlines: QUICK, ...change };
  const images = createImages(options);
  const storage = join(options.data, "storage");
  return {
    folder,
    options,
    images,
    manage: createImageStore({ ...options, run: join(folder, "podgen"), settings, wait: 1000 }),
    again: (other = {}) => createImages({ ...options, ...other }),
    async pull(reference, policy = "IfNotPresent") {
      const steps: PullProgress[] = [];
      await images.ensure(await images.inspect(reference, policy), (step) => steps.push(step));
      return steps;
    },
    layerPath: (diffId) => join(storage, "layers", diffId.slice(7)),
    async leftovers() {
      const names = async (path: string) => (await readdir(join(storage, path)).catch(() => [])).map((name) => `${path}/${name}`);
      const all = [
        ...(await names("layers")),
        ...(await names("blobs/sha256")),
        ...(await names("images")),
        ...(await names("locks")),
        ...(await names("recipes")),
      ];
      return all.filter((path) => /\/\.tmp|\.tmp$|\.partial$|^locks\/[0-9a-f]{64}$/.test(path));
    },
    prune: (pinned = []) => prune({ data: options.data, podrt: options.podrt, env, needs: async () => ({ pinned }) }, 5000),
    remove: () => removeTrees(podrt, [folder], env, 30_000),
  };
}

/** The ImageError a promise must reject with. */
export async function imageError(work: Promise<unknown>): Promise<ImageError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error("expected an ImageError, but it went well");
}

export async function there(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Throws with what to do where podrt was not built. */
export async function needPodrt(): Promise<void> {
  await access(podrt).catch(() => {
    throw new Error(`there is no ${podrt}: npm run build makes it`);
  });
}
