// Folders: made with an exact mode, and synced so that a name in them survives a power cut.
import { chmod, mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { codeOf } from "./errors.js";

/** True when `path` is a root or below one, by whole segments. */
function isWithin(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === resolve(root) || path.startsWith(`${resolve(root)}/`));
}

/**
 * Makes a folder and its missing parents; new ones get 0700 within a private root, 0755 elsewhere, whatever the umask. `sync` is
 * given each folder that has a new one.
 */
export async function makeFolders(path: string, privateRoots: readonly string[], sync: (folder: string) => Promise<void>): Promise<void> {
  const folder = resolve(path);
  const mode = isWithin(folder, privateRoots) ? 0o700 : 0o755;
  try {
    await mkdir(folder, mode);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT") throw error;
    await makeFolders(dirname(folder), privateRoots, sync);
    // Another writer may have made it meanwhile, which is as good.
    const made = await mkdir(folder, { recursive: true, mode });
    if (made === undefined) return;
  }
  await chmod(folder, mode);
  await sync(dirname(folder));
}

/** fsync of a folder: the names in it are on disk. File systems that cannot (EINVAL) have nothing to sync. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    if (codeOf(error) !== "EINVAL") throw error;
  } finally {
    await folder.close();
  }
}

/** Syncs folders for writers that are many at once: those who ask while a sync of theirs is under way share the next one. */
export class FolderSync {
  readonly #sync: (path: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(sync: (path: string) => Promise<void> = syncFolder) {
    this.#sync = sync;
  }

  /** Ends when a sync has ended that began after this call. */
  sync(path: string): Promise<void> {
    const next = this.#next.get(path);
    if (next !== undefined) return next;
    const running = this.#running.get(path);
    if (running === undefined) return this.#start(path);
    const begin = (): Promise<void> => {
      this.#next.delete(path);
      return this.#start(path);
    };
    // An error of the one that runs is told to those who asked for it.
    const queued = running.then(begin, begin);
    this.#next.set(path, queued);
    return queued;
  }

  #start(path: string): Promise<void> {
    const sync = this.#sync(path).finally(() => this.#running.delete(path));
    this.#running.set(path, sync);
    return sync;
  }
}
