// The file system behind ports/files.ts: every write is whole or not there at all.
import { constants, lstatSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { open, rename, rmdir, symlink, unlink } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import type { FileWriter } from "../../ports/files.js";
import { HostError } from "../../ports/host.js";
import { isImageError } from "../../ports/images.js";
import { codeOf, fileError } from "./errors.js";
import { FolderSync, makeFolders } from "./folders.js";
import { removeLeftovers, Temporaries } from "./temporaries.js";

/** Files as the stages with effects need them; one object per run. */
export class Files implements FileWriter {
  readonly #private: readonly string[];
  readonly #temporaries = new Temporaries();
  readonly #folders = new FolderSync();

  /** Folders made at or below one of `privateRoots` (absolute) get mode 0700, others 0755. */
  constructor(privateRoots: readonly string[]) {
    this.#private = privateRoots;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      // At once: what is read here is small, and a promise costs five times as much as the reading.
      return readFileSync(path);
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw fileError("read", path, error);
    }
  }

  async kind(path: string): Promise<"none" | "file" | "folder" | "pipe" | "other"> {
    const found = lookAt(path);
    if (found === undefined) return "none";
    return found.isFile() ? "file" : found.isDirectory() ? "folder" : found.isFIFO() ? "pipe" : "other";
  }

  async identity(path: string): Promise<string | undefined> {
    const found = lookAt(path);
    return found?.isDirectory() === true ? `${found.dev}:${found.ino}` : undefined;
  }

  async list(path: string): Promise<string[]> {
    try {
      return readdirSync(path).sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw fileError("list", path, error);
    }
  }

  /** Throws HostError `file` with the path; a symbolic link at `path` is refused, not written through or replaced. */
  async write(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    return this.stream(path, bytes, mode);
  }

  /** The same of pieces; an ImageError of theirs stays what it is. */
  async stream(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, mode: number): Promise<void> {
    try {
      await this.#prepare(path, "write");
      await this.#replace(path, (temporary) => writeWhole(temporary, bytes, mode));
    } catch (error) {
      throw isImageError(error) ? error : fileError("write", path, error);
    }
  }

  async remove(path: string, root: string): Promise<void> {
    if (!isBeneath(path, root)) throw new RangeError(`${path} is not below ${root}`);
    try {
      await unlink(path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw fileError("remove", path, error);
    }
    await removeEmptyParents(dirname(resolve(path)), resolve(root));
  }

  async tidy(path: string, root: string): Promise<void> {
    if (!isBeneath(path, root)) throw new RangeError(`${path} is not below ${root}`);
    const folder = dirname(resolve(path));
    try {
      await removeLeftovers(folder);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw fileError("list", folder, error);
    }
    await removeEmptyParents(folder, resolve(root));
  }

  /** What `make` makes beside `path` takes its name at once, and for good. */
  async #replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = await this.#temporaries.next(dirname(path));
    try {
      await make(temporary);
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await this.#folders.sync(dirname(path));
  }

  /** Replaces a symbolic link; anything else at `path` is refused. */
  async link(path: string, target: string): Promise<void> {
    try {
      await this.#prepare(path, "link");
      await this.#replace(path, (temporary) => symlink(target, temporary));
    } catch (error) {
      throw fileError("link", path, error);
    }
  }

  /** Makes the folder and checks that what is at `path` may be replaced. */
  async #prepare(path: string, for_: "write" | "link"): Promise<void> {
    await makeFolders(dirname(path), this.#private, (folder) => this.#folders.sync(folder));
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (!present || (for_ === "link" ? present.isSymbolicLink() : present.isFile())) return;
    const what = present.isSymbolicLink() ? "a symbolic link" : present.isDirectory() ? "a folder" : "not podgen's kind of file";
    throw new HostError("file", `${path} is ${what}; podgen does not replace it`, `move it away: mv ${path} ${path}.old`);
  }
}

/** Undefined where there is nothing, or no folder for it. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw fileError("look at", path, error);
  }
}

/** Bytes on disk under a name nobody else uses, with exactly this mode whatever the umask. */
async function writeWhole(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  // 0600 until the mode is set: bytes of a secret must not be readable in between.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    if (bytes instanceof Uint8Array) await file.writeFile(bytes);
    else for await (const piece of bytes) await file.appendFile(piece);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** By whole path segments: /a/bc is not below /a/b; a path is not below itself. */
export function isBeneath(path: string, root: string): boolean {
  const way = relative(resolve(root), resolve(path));
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}

async function removeEmptyParents(from: string, root: string): Promise<void> {
  for (let folder = from; isBeneath(folder, root); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT") continue;
      // Not empty, not ours to remove, or a mount point: it stays, and so do its parents.
      if (code === "ENOTEMPTY" || code === "EEXIST" || code === "EACCES" || code === "EBUSY" || code === "ENOTDIR") return;
      throw fileError("remove", folder, error);
    }
  }
}
