// The file system, as the stages with effects need it. Implemented by host/files/.

/** Read-only half. */
export interface FileReader {
  /** The bytes, or undefined where there is no such file. Other errors throw. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** What is there, symbolic links followed; other things (sockets, devices) count as `other`. */
  kind(path: string): Promise<"none" | "file" | "folder" | "pipe" | "other">;
  /** Which folder it is, symbolic links followed: another text once another one has its place; undefined where there is none. */
  identity(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted; empty where there is none. */
  list(path: string): Promise<string[]>;
}

/** The half that writes. Every write is temporary file, fsync, rename, fsync of the folder. */
export interface FileWriter extends FileReader {
  /** Atomic; parent folders are made with mode 0700 below podgen's own folders, 0755 elsewhere. */
  write(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** The same for what is too large for memory; nothing is there when `pieces` throws. */
  stream(path: string, pieces: AsyncIterable<Uint8Array>, mode: number): Promise<void>;
  /** Removes a file; no error where there is none. Empty parent folders up to `root` go too. */
  remove(path: string, root: string): Promise<void>;
  /** Removes what writers that were killed left beside `path`; an empty folder, and its empty parents up to `root`, go too. */
  tidy(path: string, root: string): Promise<void>;
  /** A link swapped into place atomically. */
  link(path: string, target: string): Promise<void>;
}
