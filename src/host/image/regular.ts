// Files of folders that other people may have made: only ordinary ones are read, and never more than is wanted.
import { constants, type ReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const PIECE = 256 * 1024;

/**
 * Opens an ordinary file. A pipe would be waited for without end, and a device's bytes never end: they throw with code EINVAL, what cannot
 * be opened with its own code.
 */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw Object.assign(new Error(`${path} is no ordinary file`), { code: "EINVAL" });
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A whole file; undefined when it is longer than `limit` bytes, whatever its size is said to be. */
export async function readRegular(path: string, limit: number): Promise<Uint8Array | undefined> {
  const file = await openRegular(path);
  try {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE);
      size += bytesRead;
      if (size > limit) return undefined;
      if (bytesRead === 0) return Buffer.concat(parts);
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** The bytes from an offset on, in pieces of 256 KiB. */
export async function* streamRegular(path: string, from: number): AsyncGenerator<Uint8Array> {
  const file = await openRegular(path);
  const stream: ReadStream = file.createReadStream({ start: from, highWaterMark: PIECE });
  yield* stream as AsyncIterable<Uint8Array>;
}
