// Writes a tar file whose members may be filled side by side, or be of a length that only their end tells.
import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "../../files/folders.js";
import { tarEnd, tarHeader } from "../tarwrite.js";

const BLOCK = 512;

export class TarWriter {
  readonly #path: string;
  readonly #temporary: string;
  #file: FileHandle | undefined;
  #end = 0;
  /** Whoever adds a member waits for the one before, whose length may not be known yet. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `path` appears when it is whole. */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  }

  async add(name: string, bytes: Uint8Array): Promise<void> {
    const at = await this.#reserve(name, bytes.length);
    await this.#write(bytes, at);
  }

  /** A member of a known size; others may be written at the same time. Its bytes must be as many, else the file is of no use. */
  async fill(name: string, size: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let at = await this.#reserve(name, size);
    for await (const piece of bytes) {
      await this.#write(piece, at);
      at += piece.length;
    }
  }

  /** A member whose size, and whose name, are known at its end; all others wait for it. */
  async append(bytes: AsyncIterable<Uint8Array>, name: () => string): Promise<void> {
    await this.#inTurn(async () => {
      const start = this.#end;
      let at = start + BLOCK;
      for await (const piece of bytes) {
        await this.#write(piece, at);
        at += piece.length;
      }
      await this.#write(tarHeader(name(), at - start - BLOCK), start);
      this.#end = padded(at);
    });
  }

  /** The end mark, and the file under its name. */
  async finish(): Promise<void> {
    await this.#write(tarEnd(), this.#end);
    await this.#file?.sync();
    await this.#file?.close();
    this.#file = undefined;
    await rename(this.#temporary, this.#path);
    await syncFolder(dirname(this.#path));
  }

  /** Removes what there is. Never throws. */
  async abort(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    await unlink(this.#temporary).catch(() => undefined);
  }

  #reserve(name: string, size: number): Promise<number> {
    return this.#inTurn(async () => {
      const at = this.#end;
      await this.#write(tarHeader(name, size), at);
      this.#end = padded(at + BLOCK + size);
      return at + BLOCK;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #write(bytes: Uint8Array, at: number): Promise<void> {
    this.#file ??= await open(this.#temporary, "wx", 0o644);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
