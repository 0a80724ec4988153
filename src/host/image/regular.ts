// Files of folders that other people may have made: only ordinary ones are read, and never more than is wanted.
import { closeSync, constants, fstatSync, openSync, type ReadStream, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const PIECE = 256 * 1024;

/**
 * Opens an ordinary file. A pipe would be waited for without end, and a device's bytes never end: they throw with code EINVAL, what cannot
 * be opened with its own code.
 */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw notOrdinary(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

const notOrdinary = (path: string): Error => Object.assign(new Error(`${path} is no ordinary file`), { code: "EINVAL" });

/** A whole file at once (manifests and the like); undefined when it is longer than `limit` bytes, whatever its size is said to be. */
export async function readRegular(path: string, limit: number): Promise<Uint8Array | undefined> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw notOrdinary(path);
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      // Beyond its end by one, so that mostly the first piece is the last.
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(found.size - size, 0) + 1));
      const bytesRead = readSync(file, buffer, 0, buffer.length, null);
      size += bytesRead;
      if (size > limit) return undefined;
      if (bytesRead === 0) return Buffer.concat(parts);
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    closeSync(file);
  }
}

/** The bytes from an offset on, in pieces of 256 KiB. */
export async function* streamRegular(path: string, from: number): AsyncGenerator<Uint8Array> {
  const file = await openRegular(path);
  const stream: ReadStream = file.createReadStream({ start: from, highWaterMark: PIECE });
  yield* stream as AsyncIterable<Uint8Array>;
}
