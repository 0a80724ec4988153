// podrt layer as a sink: bytes in, a folder of files with the owners and modes of the image out.
import { type ChildProcess, spawn } from "node:child_process";
import { HelperError } from "./failure.js";
import { isObject, type Json, parseJson, printable } from "./json.js";
import type { LayerNote } from "./store.js";

type Env = Readonly<Record<string, string | undefined>>;

const OUTPUT_MAX = 64 * 1024;
const KILL_AFTER = 5_000;

/** How it ended: the diff_id podrt computed, or what it said, and whether the layer's content is to blame or this machine. */
export type Unpacked =
  | { readonly ok: true; readonly diffId: string; readonly note: LayerNote }
  | { readonly ok: false; readonly message: string; readonly fault: "image" | "machine" };

// The steps at which podrt layer names a fault of the layer itself (`podrt: layer: STEP: …`, native/README.md). A decompressor may also have
// no memory, or be another program that fails by itself.
const CONTENT =
  /^podrt: layer: (?:(?:archive|name|limit|digest|hard link|format)\b|read: the layer is empty|(?:gzip|zstd): (?!igzip\b|.*Cannot allocate memory))/;

function failure(message: string): Unpacked {
  return { ok: false, message, fault: CONTENT.test(message) ? "image" : "machine" };
}

/** Bounds of one layer; without one, podrt's own (native/verb_layer.c). */
export interface LayerLimits {
  /** Uncompressed bytes. */
  readonly bytes?: number;
  /** Uncompressed to compressed, beyond the first GiB. */
  readonly ratio?: number;
  readonly entries?: number;
}

/** The same for podrt. */
export function limitWords({ bytes, ratio, entries }: LayerLimits): string[] {
  const word = (name: string, value: number | undefined) => (value === undefined ? [] : [`--max-${name}`, String(value)]);
  return [...word("bytes", bytes), ...word("ratio", ratio), ...word("entries", entries)];
}

/** Where the recipe of a layer in the making is: a name that every clean-up of such layers takes, too. */
export function recipeBeside(dest: string): string {
  return `${dest}.recipe`;
}

function outcome(json: Json | undefined): Unpacked | undefined {
  if (!isObject(json)) return undefined;
  const { diffId, size, tree, things, recipe } = json;
  if (typeof diffId !== "string" || typeof size !== "number" || typeof tree !== "string" || typeof things !== "number") return undefined;
  return { ok: true, diffId, note: { version: 1, size, tree, things, recipe: recipe === true } };
}

export class Unpacker {
  readonly #child: ChildProcess;
  readonly #stall: number;
  readonly #ended: Promise<Unpacked>;
  #over = false;
  /** Wakes the writer that waits for room. */
  #wake: (() => void) | undefined;

  /**
   * Starts podrt. `dest` is the folder it makes, once it is whole, and the recipe beside it (recipeBeside); `stall` is how long it may take no byte, in milliseconds; `lock` is a descriptor
   * it keeps open, so that nobody takes its folder for a leftover while it still writes, even when we are killed.
   */
  constructor(podrt: string, dest: string, limits: LayerLimits, env: Env, stall: number, lock: number) {
    this.#stall = stall;
    this.#child = spawn(podrt, ["layer", "--dest", dest, "--recipe", recipeBeside(dest), "--sync", ...limitWords(limits)], {
      stdio: ["pipe", "pipe", "pipe", lock],
      env: { ...env },
    });
    let out = "";
    let err = "";
    this.#child.stdout?.on("data", (piece: Buffer) => {
      if (out.length < OUTPUT_MAX) out += piece.toString();
    });
    this.#child.stderr?.on("data", (piece: Buffer) => {
      err = (err + piece.toString()).slice(-OUTPUT_MAX);
    });
    // EPIPE: podrt has ended, and says why by its exit.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.on("drain", () => this.#wake?.());
    this.#child.stdin?.on("close", () => this.#wake?.());
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(failure(`podrt cannot be run: ${error.message}`)));
      this.#child.on("close", (code, signal) => {
        if (code !== 0) {
          const last = err.trim().split("\n").at(-1) ?? "";
          resolve(failure(last === "" ? `podrt layer ended with ${code ?? signal}` : printable(last)));
          return;
        }
        resolve(outcome(parseJson(Buffer.from(out))) ?? failure("podrt layer did not say the layer's diffId"));
      });
    });
    void this.#ended.then(() => {
      this.#over = true;
      this.#wake?.();
    });
  }

  /** Hands on a piece, waiting until podrt has room; false when podrt has ended already (see end()). */
  async write(piece: Uint8Array): Promise<boolean> {
    const { stdin } = this.#child;
    if (this.#over || stdin === null || stdin.destroyed) return false;
    if (stdin.write(piece)) return true;
    await this.#within(
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    );
    return !this.#over;
  }

  /** No more bytes; waits for podrt's verdict. */
  async end(): Promise<Unpacked> {
    this.#child.stdin?.end();
    await this.#within(this.#ended);
    return this.#ended;
  }

  /** Stops podrt, whatever it does; returns when it is gone. */
  async kill(): Promise<void> {
    if (this.#over) return;
    this.#child.stdin?.destroy();
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), KILL_AFTER);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Waits for a step of podrt's; one that hangs is killed, and end() then says so by its exit. */
  async #within(step: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.#stall);
    await step;
    clearTimeout(timer);
  }
}

/** `podrt rmtree`: removes folders whose files belong to subordinate ids. Throws HelperError with podrt's words. */
export function removeTrees(podrt: string, paths: readonly string[], env: Env, deadline: number): Promise<void> {
  if (paths.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const child = spawn(podrt, ["rmtree", ...paths], { stdio: ["ignore", "ignore", "pipe"], env: { ...env } });
    const timer = setTimeout(() => child.kill("SIGKILL"), deadline);
    let err = "";
    child.stderr.on("data", (piece: Buffer) => {
      err = (err + piece.toString()).slice(-OUTPUT_MAX);
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new HelperError(`podrt cannot be run: ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new HelperError(printable(err.trim().split("\n").at(-1) ?? "") || `podrt rmtree ended with ${code ?? signal}`));
    });
  });
}
