// The key of the secret store: with it the digests in paths of secrets are made (plan/objects.ts), and by nobody else.
import { randomBytes } from "node:crypto";
import type { Paths } from "../base/facts.js";
import type { FileReader, FileWriter } from "../ports/files.js";
import { UserError } from "./exit.js";

const KEY_BYTES = 32;

/** Beside the Secrets, none of which has a name that starts with a dot. */
export function keyPath(paths: Paths): string {
  return `${paths.data}/secrets/.key`;
}

/** The key, or undefined where there is none yet. Another one would move every secret, so a damaged one is an error. */
export async function readKey(paths: Paths, files: FileReader): Promise<Uint8Array | undefined> {
  const path = keyPath(paths);
  const key = await files.read(path);
  if (key === undefined || key.length === KEY_BYTES) return key;
  throw new UserError(`${path}: not a key of podgen's`, 1, "remove it; containers that use Secrets restart at their next apply");
}

/** The key, made where there is none. The caller holds the writer's lock. */
export async function makeKey(paths: Paths, files: FileWriter): Promise<Uint8Array> {
  const present = await readKey(paths, files);
  if (present !== undefined) return present;
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  await files.write(keyPath(paths), key, 0o600);
  return key;
}
