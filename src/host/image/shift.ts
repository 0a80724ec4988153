// Layers with other owners, for pods with a user namespace of their own: made once per layer and map, kept while a pod uses them.
//   shifted/HEX-MAP            layer HEX with the ids of the map of digest MAP; renamed into place by podrt when it is whole
//   shifted/HEX-MAP.tmp-PID    being copied, or left by a podrt that was killed (the next one removes it)
//   shifted/.gone-…            no longer wanted
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { mapsJson, type UsernsMaps } from "../../base/userns.js";
import { ImageError } from "../../ports/images.js";
import { DEADLINES, type Deadlines } from "./deadlines.js";
import { HelperError } from "./failure.js";
import { printable } from "./json.js";
import { acquire } from "./lock.js";
import { within as withinTime } from "./stall.js";
import { exists, listIfThere, type Store } from "./store.js";
import { removeTrees } from "./unpack.js";

export interface Shifter {
  readonly store: Store;
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Others than DEADLINES. */
  readonly deadlines?: Pick<Deadlines, "whole">;
}

const OUTPUT_MAX = 64 * 1024;
/** podrt's words for a file whose owner the map has not. */
const NO_SUCH_ID = /^podrt: layer: owner: /;

/** Has all of these layers (diff_id -> name) copied. Safe to be killed and repeated; of several processes one works. Throws ImageError. */
export async function shiftLayers(shifter: Shifter, layers: ReadonlyMap<string, string>, maps: UsernsMaps): Promise<void> {
  const { store } = shifter;
  const missing = [];
  for (const layer of layers) if (!(await exists(store.shifted(layer[1])))) missing.push(layer);
  if (missing.length === 0) return;
  // A prune must not take away what no manifest names yet.
  const lock = await acquire(store.storeLock, "shared", 1, within(DEADLINES.lock));
  if (lock === undefined) throw new ImageError("image-store", "", "the image store is locked for pruning and stays so");
  try {
    await mkdir(join(store.root, "shifted"), { recursive: true, mode: 0o700 });
    for (const [diffId, name] of missing) await shiftLayer(shifter, diffId, name, maps);
  } finally {
    await lock.release();
  }
}

async function shiftLayer({ store, podrt, env, deadlines }: Shifter, diffId: string, name: string, maps: UsernsMaps): Promise<void> {
  const lock = await acquire(store.shiftLock(name), "exclusive", 1, within(DEADLINES.lock));
  if (lock === undefined) throw new ImageError("image-store", diffId, `another podgen copies the layer ${diffId} and does not get on`);
  try {
    const folder = join(store.root, "shifted");
    const left = (await listIfThere(folder)).filter((entry) => entry.startsWith(`${name}.tmp-`));
    await removeTrees(
      podrt,
      left.map((entry) => join(folder, entry)),
      env,
      DEADLINES.unpack,
    ); // prettier-ignore
    if (await exists(store.shifted(name))) return;
    const words = ["layer", "--dest", store.shifted(name), "--shift", await store.folder(diffId), "--map", mapsJson(maps), "--sync"];
    const failed = await runPodrt(podrt, words, env, lock.fd, (deadlines ?? DEADLINES).whole);
    if (failed === undefined) return;
    if (!NO_SUCH_ID.test(failed)) throw new ImageError("image-store", diffId, `the layer ${diffId} cannot be copied: ${failed}`);
    const what = `the layer ${diffId} does not fit the pod's user namespace: ${failed.replace(NO_SUCH_ID, "")}`;
    const hint =
      maps.mode === "auto" ? "Ask for more ids: podgen.io/userns: auto:size=65536" : "Give the user more subordinate ids (subuid(5)).";
    throw new ImageError("image-ids", diffId, what, hint);
  } finally {
    await lock.release(true);
  }
}

/**
 * Removes what is not `kept`, and what killed ones have left. Only what was made `age` milliseconds ago or earlier: an apply may be
 * about to name it. Nothing, while somebody pulls or copies.
 */
export async function dropShifted(shifter: Shifter, kept: ReadonlySet<string>, age: number): Promise<string[]> {
  const unwanted = await unwantedOf(shifter, kept, age);
  if (unwanted.length === 0) return [];
  const lock = await acquire(shifter.store.storeLock, "exclusive", 0, () => false);
  if (lock === undefined) return [];
  try {
    return await removeShifted(shifter, unwanted);
  } finally {
    await lock.release();
  }
}

/** The same for who holds the store's lock, exclusive. */
export async function dropShiftedLocked(shifter: Shifter, kept: ReadonlySet<string>, age: number): Promise<string[]> {
  return removeShifted(shifter, await unwantedOf(shifter, kept, age));
}

async function unwantedOf({ store }: Shifter, kept: ReadonlySet<string>, age: number): Promise<string[]> {
  const folder = join(store.root, "shifted");
  const unwanted = [];
  for (const name of await listIfThere(folder)) if (!kept.has(name) && (await ageOf(join(folder, name))) >= age) unwanted.push(name);
  return unwanted;
}

async function removeShifted({ store, podrt, env }: Shifter, unwanted: readonly string[]): Promise<string[]> {
  const folder = join(store.root, "shifted");
  const doomed = [];
  for (const name of unwanted) {
    // Renamed first: one that is half removed must not count as present.
    const away = join(folder, `.gone-${randomBytes(6).toString("hex")}`);
    await rename(join(folder, name), away);
    doomed.push(away);
  }
  await removeTrees(podrt, doomed, env, DEADLINES.unpack);
  return unwanted.filter((name) => /^[0-9a-f]{64}-[0-9a-f]{16}$/.test(name));
}

/** By the time it got its name: the other times are the image's. */
async function ageOf(path: string): Promise<number> {
  return Date.now() - ((await stat(path).catch(() => undefined))?.ctimeMs ?? 0);
}

/** undefined, or podrt's words; ended after `ms` milliseconds. `lock` stays open in it, so that nobody takes its folder for a leftover when we are killed. */
function runPodrt(podrt: string, words: readonly string[], env: Shifter["env"], lock: number, ms: number): Promise<string | undefined> {
  const child = spawn(podrt, words, { stdio: ["ignore", "ignore", "pipe", lock], env: { ...env } });
  const ended = new Promise<string | undefined>((resolve, reject) => {
    let err = "";
    child.stderr?.on("data", (piece: Buffer) => {
      err = (err + piece.toString()).slice(-OUTPUT_MAX);
    });
    child.on("error", (error) => reject(new HelperError(`podrt cannot be run: ${error.message}`, { cause: error })));
    child.on("close", (code, signal) => {
      const last = printable(err.trim().split("\n").at(-1) ?? "");
      resolve(code === 0 ? undefined : last === "" ? `podrt layer ended with ${code ?? signal}` : last);
    });
  });
  return withinTime(ended, ms, () => child.kill("SIGKILL"));
}

function within(milliseconds: number): () => boolean {
  const end = Date.now() + milliseconds;
  return () => Date.now() < end;
}
