// Locks between processes that no crash leaves behind: flock(2) on a file, through flock(1), as Node has no call for it.
import { spawn } from "node:child_process";
import { type FileHandle, mkdir, open, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { HelperError } from "./failure.js";

export interface Lock {
  /** To be inherited by a child that works under the lock: the lock then lasts until both are gone. */
  readonly fd: number;
  /** `remove`: the file goes too, so that locks of things that come and go leave nothing. */
  release(remove?: boolean): Promise<void>;
}

// flock(1)'s answer to "somebody else has it"; any other failure is one.
const TAKEN = 75;

/**
 * Takes the lock; undefined when `again` said no. It is asked after each `round` seconds (0: at once) of waiting, so that
 * the caller decides how long a wait is worth it. Throws when flock(1) cannot be run or the file cannot be opened.
 */
export async function acquire(
  path: string,
  mode: "shared" | "exclusive",
  round: number,
  again: () => boolean | Promise<boolean>,
): Promise<Lock | undefined> {
  for (;;) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    try {
      while (!(await flock(file, mode, round))) {
        if (await again()) continue;
        await file.close();
        return undefined;
      }
      // The one before us may have removed the file while we waited: then ours is no longer the one others see.
      const [ours, theirs] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
      if (theirs?.ino !== ours.ino) {
        await file.close();
        continue;
      }
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    return {
      fd: file.fd,
      async release(remove = false) {
        if (remove) await unlink(path).catch(() => undefined);
        await file.close();
      },
    };
  }
}

/** The lock belongs to the open file, which the child shares with us: it stays when flock(1) has ended. */
function flock(file: FileHandle, mode: "shared" | "exclusive", seconds: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const wait = seconds === 0 ? ["--nonblock"] : ["--timeout", String(seconds)];
    const child = spawn("flock", [`--${mode}`, ...wait, "--conflict-exit-code", String(TAKEN), "3"], {
      stdio: ["ignore", "ignore", "ignore", file.fd],
    });
    child.on("error", (error) => reject(new HelperError(`flock (of util-linux) cannot be run: ${error.message}`, { cause: error })));
    child.on("exit", (code, signal) => {
      if (code === 0) resolve(true);
      else if (code === TAKEN) resolve(false);
      else reject(new HelperError(`flock failed: ${code === null ? signal : `exit code ${code}`}`));
    });
  });
}
