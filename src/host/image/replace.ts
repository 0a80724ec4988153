// A file's whole content in one step: whoever reads it sees the old or the new, also after a power cut.
import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../files/folders.js";

/** Temporary file beside it, fsync, rename, fsync of the folder, which must be there. `mode` is what a new file gets. Throws errors of node:fs. */
export async function replaceFile(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}
