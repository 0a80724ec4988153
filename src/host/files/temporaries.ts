// Names of temporary files, and the removal of those a killed run left behind.
import { readdirSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, processStat } from "../process/stat.js";

/** `.podgen-PID-STARTTIME-N.tmp`: who writes it can be told apart from a later process of the same pid. */
const NAME = /^\.podgen-(\d+)-(\d+)-\d+\.tmp$/;

export class Temporaries {
  readonly #cleaned = new Set<string>();
  #prefix: Promise<string> | undefined;
  #count = 0;

  /** A fresh name in `folder`; at the first one in a folder, leftovers of dead writers there are removed. */
  async next(folder: string): Promise<string> {
    if (!this.#cleaned.has(folder)) {
      this.#cleaned.add(folder);
      await removeLeftovers(folder);
    }
    this.#prefix ??= processStat(process.pid).then((stat) => `.podgen-${process.pid}-${stat?.startTime ?? 0}`);
    return join(folder, `${await this.#prefix}-${++this.#count}.tmp`);
  }
}

/** Removes the temporary files in a folder whose writers are dead. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const [, pid, startTime] = NAME.exec(name) ?? [];
    if (pid === undefined || startTime === undefined || (await isAlive(Number(pid), startTime))) continue;
    await unlink(join(folder, name)).catch(() => undefined);
  }
}
