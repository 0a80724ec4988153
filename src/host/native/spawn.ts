// podrt with our terminal: for exec and unshare. The exit code is passed on.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Paths } from "../../base/facts.js";

export interface SpawnedRuntime {
  readonly pid: number;
  release(): void;
  readonly exit: Promise<number>;
}

/**
 * Runs the installed podrt, or the one beside this podgen where nothing was applied yet. With `attach`, `--attach-fd 3`
 * is put after the verb and podrt waits for release().
 */
export function spawnRuntime(
  paths: Paths,
  words: readonly string[],
  options: { readonly attach: boolean; readonly stdin: boolean },
): SpawnedRuntime {
  const beside = fileURLToPath(new URL("../podrt", import.meta.url));
  const [verb = "", ...rest] = words;
  const child = spawn(existsSync(paths.podrt) ? paths.podrt : beside, [verb, ...(options.attach ? ["--attach-fd", "3"] : []), ...rest], {
    stdio: [options.stdin ? "inherit" : "ignore", "inherit", "inherit", ...(options.attach ? (["pipe"] as const) : [])],
  });
  const gate = options.attach ? (child.stdio[3] as Writable) : undefined;
  // podrt may be gone before it is released: its exit code says why.
  gate?.on("error", () => undefined);
  return { pid: child.pid ?? 0, release: () => void gate?.end("\n"), exit: exitOf(child) };
}

function exitOf(child: ChildProcess): Promise<number> {
  // The terminal sends Ctrl-C to the whole group; what it means is for the command to say.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => process.off("SIGINT", ignore));
}
