// The bytes of a blob on their way: hashed as they go by, once, though a part may be sent twice; compressed anew on request.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ImageError } from "../../../ports/images.js";
import { DEADLINES } from "../deadlines.js";
import { printable } from "../json.js";
import type { Descriptor } from "../manifest.js";
import { mismatch } from "../resolve.js";
import { unstalled, within } from "../stall.js";
import { type LayerLimits, limitWords } from "../unpack.js";
import type { Body } from "./content.js";
import type { Compression } from "./convert.js";

type Bytes = AsyncIterable<Uint8Array>;

/** Called with the bytes that went by so far. */
export type Moved = (bytes: number) => void;

/** A blob as it is. `open` gives it from an offset on. */
export function plainBody(known: Descriptor, reference: string, open: (from: number) => Bytes, moved: Moved): Body {
  const hashed = new Hashed();
  return {
    known,
    async *open(from) {
      let at = from;
      for await (const piece of open(from)) {
        at += piece.length;
        if (at > known.size) throw mismatch(reference, `the blob ${known.digest} is longer than the ${known.size} bytes of its manifest`);
        hashed.take(piece, at);
        moved(at);
        yield piece;
      }
      if (at !== known.size) throw mismatch(reference, `the blob ${known.digest} has ${at} bytes, its manifest says ${known.size}`);
      const found = hashed.end();
      if (found !== known.digest) throw mismatch(reference, `the blob ${known.digest} is ${found}`);
    },
    result: () => ({ digest: known.digest, size: known.size }),
  };
}

export interface Recoding {
  readonly podrt: string;
  readonly to: Compression;
  /** The compression's own; its default when absent. */
  readonly level?: number;
  /** What the layer has to unpack to. */
  readonly diffId?: string;
  /** Of what it unpacks to; entries are not counted. */
  readonly limits?: LayerLimits;
  /** How long podrt may stand still, in milliseconds. */
  readonly stall?: number;
}

/** The blob `from` in another compression. A later start makes it anew and leaves out what came before the offset. */
export function recodedBody(original: Body, how: Recoding, reference: string): Body {
  let hashed = new Hashed();
  return {
    async *open(from) {
      // Not for known: the whole of it has to be hashed again, should the offset lie behind what was seen.
      if (from === 0) hashed = new Hashed();
      let at = 0;
      for await (const piece of recode(original.open(0), how, reference)) {
        at += piece.length;
        hashed.take(piece, at);
        if (at > from) yield at - piece.length >= from ? piece : piece.subarray(piece.length - (at - from));
      }
      hashed.end();
    },
    result: () => ({ digest: hashed.end(), size: hashed.size }),
  };
}

/** A running hash that takes every byte once, by its place. */
class Hashed {
  readonly #hash = createHash("sha256");
  #digest: string | undefined;
  size = 0;

  /** A piece that ends at `end`; of what was seen already nothing is taken twice. */
  take(piece: Uint8Array, end: number): void {
    const fresh = end - this.size;
    if (fresh <= 0) return;
    this.#hash.update(fresh >= piece.length ? piece : piece.subarray(piece.length - fresh));
    this.size = end;
  }

  end(): string {
    this.#digest ??= `sha256:${this.#hash.digest("hex")}`;
    return this.#digest;
  }
}

/** Bytes through podrt recode. What the source throws comes out as it is; what podrt says becomes an ImageError. */
async function* recode(input: Bytes, how: Recoding, reference: string): AsyncGenerator<Uint8Array> {
  const { podrt, to, level, diffId, limits: { entries: _, ...limits } = {}, stall = DEADLINES.unpack } = how;
  const words = ["recode", "--to", to, ...(level === undefined ? [] : ["--level", String(level)])];
  if (diffId !== undefined) words.push("--diff-id", diffId);
  words.push(...limitWords(limits));
  const child = spawn(podrt, words, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (piece: Buffer) => {
    said = (said + piece.toString()).slice(-4096);
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(`podrt cannot be run: ${error.message}`));
    child.on("close", (code) => resolve(code === 0 ? undefined : printable(said.trim().split("\n").at(-1) ?? "") || "podrt recode failed"));
  });
  let broken: { error: unknown } | undefined;
  // Its own waits end by themselves; podrt's clock begins with each piece it is given.
  let [waiting, given] = [false, performance.now()];
  const watched = async function* () {
    const pieces = input[Symbol.asyncIterator]();
    try {
      for (;;) {
        waiting = true;
        const piece = await pieces.next();
        [waiting, given] = [false, performance.now()];
        if (piece.done === true) return;
        yield piece.value;
      }
    } finally {
      await pieces.return?.();
    }
  };
  let still = false;
  const late = () => {
    still = true;
    child.kill("SIGKILL");
  };
  const excused = () => waiting || performance.now() - given < stall;
  const fed = pipeline(Readable.from(watched(), { objectMode: false, highWaterMark: 256 * 1024 }), child.stdin).catch(
    (error: NodeJS.ErrnoException) => {
      // EPIPE: podrt has given up, and says why. Anything else is the source's.
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") broken = { error };
      child.stdin.destroy();
      if (broken !== undefined) child.kill();
    },
  );
  try {
    for await (const piece of unstalled(child.stdout, stall, late, excused)) yield piece as Uint8Array;
    await fed;
    const failure = await within(ended, stall, late);
    if (still) throw new ImageError("image-store", reference, `${reference}: podrt recode stands still for ${stall / 1000} s`);
    if (broken !== undefined) throw broken.error;
    if (failure !== undefined) {
      const image = /^podrt: recode: (?:gzip|zstd|format|digest|limit)\b/.test(failure);
      throw new ImageError(image ? "image-bad" : "image-store", reference, `${reference}: a layer cannot be recompressed: ${failure}`);
    }
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}
