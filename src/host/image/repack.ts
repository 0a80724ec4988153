// podrt repack as a source: the very bytes of a layer's tar, made of its folder and its recipe; and as a check of both.
import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { DEADLINES, type Deadlines } from "./deadlines.js";
import { HelperError } from "./failure.js";
import { isObject, parseJson, printable } from "./json.js";
import { unstalled, within } from "./stall.js";
import type { LayerNote, Store } from "./store.js";

type Env = Readonly<Record<string, string | undefined>>;

const OUTPUT_MAX = 64 * 1024;

export interface Repacker {
  readonly store: Store;
  readonly podrt: string;
  readonly env: Env;
  /** Others than DEADLINES. */
  readonly deadlines?: Pick<Deadlines, "unpack" | "whole">;
}

/** The layer is not what it was when it was unpacked; the message says what podrt saw first. */
export class Altered extends Error {}

// The steps at which podrt repack names a fault of the layer or its recipe, not of the machine.
const ALTERED = /^podrt: repack: (?:altered|recipe|layer): /;

function verdict(err: string, code: number | null, signal: string | null): Error {
  const last = printable(err.trim().split("\n").at(-1) ?? "") || `podrt repack ended with ${code ?? signal}`;
  return ALTERED.test(last) ? new Altered(last.replace(/^podrt: repack: (?:altered: )?/, "")) : new HelperError(last);
}

type Helper = Pick<Repacker, "podrt" | "env" | "deadlines">;

function start({ podrt, env }: Helper, folder: string, words: readonly string[], stdin: "ignore" | "pipe" = "ignore") {
  const child = spawn(podrt, ["repack", "--layer", folder, ...words], { stdio: [stdin, "pipe", "pipe"], env: { ...env } });
  let err = "";
  child.stderr?.on("data", (piece: Buffer) => {
    err = (err + piece.toString()).slice(-OUTPUT_MAX);
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    child.on("error", (error) => resolve(new HelperError(`podrt cannot be run: ${error.message}`, { cause: error })));
    child.on("close", (code, signal) => resolve(code === 0 ? undefined : verdict(err, code, signal)));
  });
  return { child, ended };
}

/** The tar of a layer from an offset on. Only its end says that every byte was right: throws Altered, or HelperError for our own troubles. */
export async function* layerTar(repacker: Repacker, diffId: string, from = 0): AsyncGenerator<Uint8Array> {
  const { store } = repacker;
  yield* folderTar(repacker, await store.folder(diffId), store.recipe(diffId), diffId, from);
}

/** The same of any unpacked layer, with a recipe in a file, or as its pieces. Throws as layerTar, and what the recipe's pieces throw. */
export async function* folderTar(
  helper: Helper,
  folder: string,
  recipe: string | AsyncIterable<Uint8Array>,
  diffId: string,
  from = 0,
): AsyncGenerator<Uint8Array> {
  const piped = typeof recipe !== "string";
  const { child, ended } = start(helper, folder, ["--recipe", piped ? "-" : recipe, "--diff-id", diffId], piped ? "pipe" : "ignore");
  let fault: unknown;
  const { unpack } = helper.deadlines ?? DEADLINES;
  const late = () => {
    fault ??= new HelperError(`podrt repack stands still for ${unpack / 1000} s`);
    child.kill("SIGKILL");
  };
  if (piped && child.stdin !== null)
    // EPIPE: podrt has ended, and says why by its exit. What the recipe itself has against going on ends podrt.
    pipeline(recipe, child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE" || error.code === "ERR_STREAM_PREMATURE_CLOSE") return;
      fault = error;
      child.kill("SIGKILL");
    });
  try {
    let at = 0;
    for await (const piece of unstalled(child.stdout as AsyncIterable<Buffer>, unpack, late)) {
      at += piece.length;
      if (at > from) yield at - piece.length >= from ? piece : piece.subarray(piece.length - (at - from));
    }
    const error = await within(ended, unpack, late);
    if (fault !== undefined) throw fault;
    if (error !== undefined) throw error;
  } finally {
    // Who has enough ends us here.
    child.kill("SIGKILL");
    await ended;
  }
}

/**
 * Compares a layer with what is remembered of it: names, owners, modes, times and attributes; with `deep`, and where there is a
 * recipe, every byte of its files, too. Throws as layerTar does.
 */
export async function checkLayer(repacker: Repacker, diffId: string, note: LayerNote, deep: boolean): Promise<void> {
  const words = deep && note.recipe ? ["--recipe", repacker.store.recipe(diffId), "--diff-id", diffId] : [];
  const found = await lookAt(repacker, await repacker.store.folder(diffId), words);
  if (found.tree === note.tree) return;
  const difference = found.things - note.things;
  const count =
    difference === 0
      ? "owners, modes, times, sizes or attributes"
      : difference > 0
        ? `${difference} more names`
        : `${-difference} fewer names`;
  throw new Altered(`its files are not those it had (${count})`);
}

/** What podrt sees of an unpacked layer: see LayerNote; `aufs`: it has whiteouts that overlay does not know. Throws as layerTar does. */
export async function lookAt(
  helper: Helper,
  folder: string,
  words: readonly string[] = [],
): Promise<{ readonly tree: string; readonly things: number; readonly aufs: boolean }> {
  const { child, ended } = start(helper, folder, ["--check", ...words]);
  let out = "";
  child.stdout?.on("data", (piece: Buffer) => {
    if (out.length < OUTPUT_MAX) out += piece.toString();
  });
  const { whole } = helper.deadlines ?? DEADLINES;
  const error = await within(ended, whole, () => child.kill("SIGKILL"));
  if (error !== undefined) throw error;
  const json = parseJson(Buffer.from(out));
  if (!isObject(json) || typeof json["tree"] !== "string") throw new HelperError("podrt repack did not say what it found");
  return { tree: json["tree"], things: Number(json["entries"]), aufs: json["aufs"] === true };
}
