// All that one watcher looks at: its folder, and files and folders elsewhere that decide what the folder's specs come to.
import type { FileReader } from "../../ports/files.js";
import { type FolderListener, WatchedFolder } from "./folder.js";
import { byFolder, type Watched } from "./referenced.js";

export class WatchedSet {
  readonly #files: FileReader;
  readonly #listener: FolderListener;
  readonly #folder: WatchedFolder;
  /** By path and what of it is watched. */
  readonly #others = new Map<string, WatchedFolder>();

  constructor(folder: string, files: FileReader, listener: FolderListener) {
    this.#files = files;
    this.#listener = listener;
    this.#folder = new WatchedFolder(folder, files, listener);
  }

  /** Before each look, as of a WatchedFolder. */
  arm(): ReturnType<WatchedFolder["arm"]> {
    return this.#folder.arm();
  }

  /** Before these are read: they are watched from now on, and what is not among them no more. One that is away is waited for. */
  async follow({ folders, files }: Watched): Promise<void> {
    const wanted = new Map<string, () => WatchedFolder>();
    for (const path of folders) wanted.set(path, () => new WatchedFolder(path, this.#files, this.#listener));
    for (const [path, only] of byFolder(files))
      wanted.set([path, ...only].join("\n"), () => new WatchedFolder(path, this.#files, this.#listener, only));
    for (const [key, watched] of this.#others)
      if (!wanted.has(key)) {
        this.#others.delete(key);
        await watched.close();
      }
    for (const [key, make] of wanted) {
      const watched = this.#others.get(key) ?? make();
      this.#others.set(key, watched);
      await watched.arm();
    }
  }

  async close(): Promise<void> {
    for (const watched of [this.#folder, ...this.#others.values()]) await watched.close();
  }
}
