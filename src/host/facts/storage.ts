// Reads storage.json of the settings folder.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_STORAGE, parseStorage, type StorageSettings } from "../../base/storage.js";
import { HostError } from "../../ports/host.js";

/** The settings of the store; the defaults where there is no file. Throws HostError `file` for one that cannot be read or used. */
export async function readStorage(settings: string): Promise<StorageSettings> {
  const path = join(settings, "storage.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return DEFAULT_STORAGE;
    throw new HostError("file", `${path} cannot be read: ${code}`, undefined, error);
  }
  try {
    return parseStorage(text);
  } catch (error) {
    throw new HostError("file", `${path}: ${(error as Error).message}`, "podgen-image(1) says what can be set there.", error);
  }
}
