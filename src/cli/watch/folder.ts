// A watched folder: its events, and that it may be moved away, unmounted or replaced while it is watched.
import type { FSWatcher } from "chokidar";
import type { FileReader } from "../../ports/files.js";

/** The file system tells nobody that a folder's parent was moved, or that something was mounted over it: looked at so often. */
const POLL_MS = 2_000;

/** How long chokidar may take to read the folders; it says nothing when they vanish meanwhile. */
const READY_MS = 30_000;

export interface FolderListener {
  event(): void;
  failed(error: unknown): void;
}

export class WatchedFolder {
  readonly #path: string;
  readonly #files: FileReader;
  readonly #listener: FolderListener;
  readonly #only: ReadonlySet<string> | undefined;
  #watcher: FSWatcher | undefined;
  /** Which folder the watcher is set on. */
  #identity: string | undefined;
  readonly #poll: NodeJS.Timeout;

  /**
   * All of the folder and the folders in it but hidden names and editors' copies, or `only` these files, whatever their names. Its timer
   * keeps the process alive, which chokidar does not do once the folder is gone.
   */
  constructor(path: string, files: FileReader, listener: FolderListener, only?: ReadonlySet<string>) {
    this.#path = path;
    this.#files = files;
    this.#only = only;
    this.#listener = listener;
    this.#poll = setInterval(() => void this.#compare(), POLL_MS);
  }

  /**
   * Before each look: sets a watcher on the folder that is there now. `set` when it is another one than before, `away` when
   * there is none.
   */
  async arm(): Promise<"as-before" | "set" | "away"> {
    const identity = await this.#files.identity(this.#path);
    if (identity !== undefined && identity === this.#identity) return "as-before";
    await this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = identity;
    if (identity === undefined) return "away";
    const { watch } = await import("chokidar");
    const only = this.#only;
    const left = (path: string): boolean => (only === undefined ? /(^|\/)\.[^/]*$|~$/.test(path) : !only.has(path));
    const ignored = (path: string): boolean => path !== this.#path && left(path);
    const watcher = watch(this.#path, { ignoreInitial: true, ignored });
    this.#watcher = watcher;
    watcher.on("all", () => this.#listener.event()).on("error", (error) => this.#listener.failed(error));
    if (await ready(watcher)) return "set";
    // The folder went while the watcher was being set: the next look begins anew.
    await watcher.close();
    this.#watcher = undefined;
    this.#identity = undefined;
    throw new Error(`${this.#path}: cannot be watched: chokidar was not ready after ${READY_MS / 1000} s`);
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    await this.#watcher?.close();
  }

  async #compare(): Promise<void> {
    try {
      if ((await this.#files.identity(this.#path)) !== this.#identity) this.#listener.event();
    } catch (error) {
      this.#listener.failed(error);
    }
  }
}

/** False when it is not in time. */
function ready(watcher: FSWatcher): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), READY_MS);
    watcher.once("ready", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
