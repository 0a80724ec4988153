// Folders below the destination of a sync, which may be somebody's stick: made one by one, and no link in it is followed.
import { lstat, mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { UserError } from "../exit.js";

/**
 * Makes `root`, whatever leads to it, and `folder`, which is `root` or below it. Throws UserError for a link, a file or an image's own
 * folder on the way: what would be written behind it nobody has asked for, or would go with that image. Throws errors of node:fs.
 */
export async function makeBelow(root: string, folder: string): Promise<void> {
  await mkdir(root, { recursive: true });
  let path = root;
  for (const part of relative(root, folder)
    .split("/")
    .filter((p) => p !== "")) {
    path = join(path, part);
    await mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    const there = await lstat(path);
    if (there.isSymbolicLink()) throw new UserError(`${path} is a link, which a sync does not follow`);
    if (!there.isDirectory()) throw new UserError(`${path} is no folder`);
    const image = await lstat(join(path, "manifest.json")).catch(() => undefined);
    if (image !== undefined)
      throw new UserError(`${path} is the folder of an image`, undefined, "give the other image another name, or another destination");
  }
}
