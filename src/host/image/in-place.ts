// A layer that lies unpacked on this machine already, in podman's store: used there, by a link in the place of the folder.
import { createWriteStream } from "node:fs";
import { lstat, mkdir, symlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { TarSplitError } from "./containers/tar-split.js";
import { type LayerContext, placeLayer } from "./layers.js";
import { Altered, lookAt } from "./repack.js";
import { removeIfThere } from "./store.js";
import { recipeBeside } from "./unpack.js";

/**
 * Links a layer where its source has it. False where it cannot be used as it lies, or is damaged: then it has to be copied, which says
 * what is wrong. What is remembered of it (note, recipe) is as of a layer of ours. The caller holds the layer's lock.
 */
export async function linkLayer({ store, source, podrt, env }: LayerContext, diffId: string): Promise<boolean> {
  const place = await source.place?.(diffId);
  if (place === undefined) return false;
  const temporary = store.temporary(diffId);
  const recipe = recipeBeside(temporary);
  await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
  try {
    // As fuse-overlayfs has whiteouts the kernel's overlay would show what they hide.
    const { tree, things, aufs } = await lookAt({ podrt, env }, place.folder);
    if (aufs) return false;
    await pipeline(place.recipe(), createGzip({ level: 1 }), createWriteStream(recipe, { flags: "wx", mode: 0o600, flush: true }));
    await symlink(place.folder, temporary);
    await placeLayer(store, diffId, temporary, { version: 1, size: place.size, tree, things, recipe: true });
    return true;
  } catch (error) {
    await removeIfThere(temporary);
    await removeIfThere(recipe);
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing || error instanceof Altered || error instanceof TarSplitError) return false;
    throw error;
  }
}

/** Takes a link away, so that a folder can have its name. */
export async function unlinkLayer(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSymbolicLink() === true) await unlink(path);
}
