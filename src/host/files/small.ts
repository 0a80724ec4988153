// Small files, read at once: a promise costs more than ten times as much as the reading, and what Node compiles for it some milliseconds.
import { accessSync, constants, readFileSync, statSync } from "node:fs";

/** The text of a small local file (/proc, /sys, /etc, podgen's own); undefined where it cannot be read, for whatever reason. */
export function smallText(path: string): string | undefined {
  // Asked first, since the error of a file that is not there is dear: it has a stack.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** True for an ordinary file that we may execute. */
export function isExecutable(path: string): boolean {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
