// Starts pull-driver.ts as a process of its own, which can be killed and can be another user's.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { PullProgress } from "../../src/ports/images.js";

const DEADLINE = 60_000;

export interface End {
  readonly end: string;
  readonly has?: boolean;
  readonly layers?: readonly string[];
  readonly message?: string;
}

export interface Driver {
  readonly process: ChildProcess;
  /** The first step that satisfies; rejects when the driver ends before. */
  until(wanted: (step: PullProgress) => boolean): Promise<PullProgress>;
  /** How it ended; undefined when it was killed. */
  readonly ended: Promise<End | undefined>;
}

export interface DriverProgram {
  readonly path: string;
  /** Runs `command…` with the driver's arguments at its end; `name`: the image is copied into the store under it. */
  start(command: readonly string[], reference: string, data: string, podrt: string, name?: string): Driver;
  remove(): Promise<void>;
}

/** Bundles the driver into a folder that every user can read. */
export async function buildDriver(): Promise<DriverProgram> {
  const folder = await mkdtemp(join(tmpdir(), "podgen-driver-"));
  await chmod(folder, 0o755);
  const script = `import { bundle } from ${JSON.stringify(resolve("test/tools/esbuild.mjs"))};
    await bundle(["test/lib/pull-driver.ts"], ${JSON.stringify(folder)}, { outExtension: { ".js": ".mjs" } });`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: DEADLINE });
  const path = join(folder, "pull-driver.mjs");
  return {
    path,
    start: (command, ...args: (string | undefined)[]) =>
      follow(
        spawn(command[0] ?? "", [...command.slice(1), path, ...args.filter((word) => word !== undefined)], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      ),
    remove: () => rm(folder, { recursive: true }),
  };
}

function follow(child: ChildProcess): Driver {
  const steps: PullProgress[] = [];
  const waiting: { wanted: (step: PullProgress) => boolean; resolve: (step: PullProgress) => void; reject: (error: Error) => void }[] = [];
  let end: End | undefined;
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE);
  if (child.stdout !== null) {
    createInterface(child.stdout).on("line", (line) => {
      const said = JSON.parse(line) as PullProgress | End;
      if ("end" in said) {
        end = said;
        return;
      }
      steps.push(said);
      for (const one of waiting.filter((w) => w.wanted(said))) one.resolve(said);
    });
  }
  const ended = new Promise<End | undefined>((done) => {
    child.on("close", () => {
      clearTimeout(timer);
      for (const one of waiting) one.reject(new Error(`the driver ended before: ${JSON.stringify(end)}`));
      done(end);
    });
  });
  return {
    process: child,
    ended,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const before = steps.find(wanted);
        if (before !== undefined) resolve(before);
        else waiting.push({ wanted, resolve, reject });
      }),
  };
}
