// Reads storage.json of the settings folder.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_STORAGE, parseStorage, type StorageSettings } from "../../base/storage.js";
import { HostError } from "../../ports/host.js";

/** The settings of the store; the defaults where there is no file. Throws HostError `file` for one that cannot be read or used. */
export async function readStorage(settings: string): Promise<StorageSettings> {
  const path = join(settings, "storage.json");
  let text: string;
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return DEFAULT_STORAGE;
    text = readFileSync(path, "utf8");
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
