// A layer that lies unpacked on this machine already, in podman's store: used there, by a link in the place of the folder.
import { createWriteStream } from "node:fs";
import { lstat, mkdir, rename, symlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { run } from "../process/run.js";
import { TarSplitError } from "./containers/tar-split.js";
import { HelperError } from "./failure.js";
import { printable } from "./json.js";
import { type LayerContext, placeLayer } from "./layers.js";
import { Altered, lookAt, type Repacker } from "./repack.js";
import { removeIfThere } from "./store.js";
import { recipeBeside } from "./unpack.js";

const SWAP_MS = 60_000;
/** podrt swap: the file system has no such step. */
const CANNOT = 2;

/**
 * Links a layer where its source has it, once every byte of it was held against the diff_id. False where it cannot be used as it lies, or
 * is damaged: then it has to be copied, which says what is wrong. What is remembered of it (note, recipe) is as of a layer of ours. The caller holds the layer's lock.
 */
export async function linkLayer({ store, source, podrt, env, deadlines }: LayerContext, diffId: string): Promise<boolean> {
  const place = await source.place?.(diffId);
  if (place === undefined) return false;
  const temporary = store.temporary(diffId);
  const recipe = recipeBeside(temporary);
  await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
  try {
    await pipeline(place.recipe(), createGzip({ level: 1 }), createWriteStream(recipe, { flags: "wx", mode: 0o600, flush: true }));
    const words = ["--recipe", recipe, "--diff-id", diffId];
    const { tree, things, aufs } = await lookAt({ podrt, env, deadlines }, place.folder, words);
    // As fuse-overlayfs has whiteouts the kernel's overlay would show what they hide.
    if (aufs) return false;
    await symlink(place.folder, temporary);
    await placeLayer({ store, podrt, env }, diffId, temporary, { version: 1, size: place.size, tree, things, recipe: true });
    return true;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing || error instanceof Altered || error instanceof TarSplitError) return false;
    throw error;
  } finally {
    // Nothing, once they have their names.
    await removeIfThere(temporary);
    await removeIfThere(recipe);
  }
}

/**
 * Gives a layer its name. A folder takes a link's place in one step: a container that starts meanwhile finds the one or the other. Throws
 * HelperError.
 */
export async function takeName({ podrt, env }: Pick<Repacker, "podrt" | "env">, temporary: string, path: string): Promise<void> {
  const [there, comes] = await Promise.all([lstat(path).catch(() => undefined), lstat(temporary)]);
  // rename(2) puts no folder in the place of a link.
  if (there?.isSymbolicLink() === true && comes.isDirectory()) {
    const { code, stderr, failure } = await run([podrt, "swap", temporary, path], SWAP_MS, env);
    if (code === 0) return unlink(temporary);
    if (code !== CANNOT) throw new HelperError(printable(stderr.trim() || failure || `podrt swap ended with ${code}`));
    await unlink(path);
  }
  await rename(temporary, path);
}
