// podrt behind ports/runtime.ts.
import { access, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Paths } from "../../base/facts.js";
import type { LastEnd, PodFailure, ProbeKill, ProbeRecord, RunState } from "../../base/installed.js";
import type { FileWriter } from "../../ports/files.js";
import { HostError } from "../../ports/host.js";
import type { Runtime } from "../../ports/runtime.js";
import { isAlive } from "../process/stat.js";
import { installRuntime } from "./install.js";
import { parseEnd, parseFailure, parseKill, parseProbes, parseState } from "./state.js";

/** A tree of some 100,000 files on a slow disk; milliseconds. */
const REMOVE_TIMEOUT = 300_000;

/** A few files in memory; milliseconds. */
const REFRESH_TIMEOUT = 60_000;

/** How many paths one podrt gets: argument lists have an end (ARG_MAX). */
const PATHS_AT_ONCE = 500;

export class NativeRuntime implements Runtime {
  readonly #paths: Paths;
  readonly #files: FileWriter;
  readonly #source: string;
  readonly #env: NodeJS.ProcessEnv;

  /** `source` is the podrt that came with this podgen. */
  constructor(paths: Paths, files: FileWriter, source: string, env: NodeJS.ProcessEnv) {
    this.#paths = paths;
    this.#files = files;
    this.#source = source;
    this.#env = env;
  }

  install(): Promise<boolean> {
    return installRuntime(this.#files, this.#source, this.#paths.podrt);
  }

  async state(pod: string, container: string): Promise<RunState | undefined> {
    const bytes = await this.#files.read(join(this.#folder(pod, container), "state.json"));
    const state = bytes && parseState(new TextDecoder().decode(bytes));
    return state && { ...state, alive: await isAlive(state.pid, state.startTime) };
  }

  async lastEnd(pod: string, container: string): Promise<LastEnd | undefined> {
    const bytes = await this.#files.read(join(this.#folder(pod, container), "ended.json"));
    return bytes && parseEnd(new TextDecoder().decode(bytes));
  }

  async probeKill(pod: string, container: string): Promise<ProbeKill | undefined> {
    const bytes = await this.#files.read(join(this.#folder(pod, container), "killed.json"));
    return bytes && parseKill(new TextDecoder().decode(bytes));
  }

  async podFailure(pod: string): Promise<PodFailure | undefined> {
    const bytes = await this.#files.read(join(this.#paths.run, "pods", pod, "failed.json"));
    return bytes && parseFailure(new TextDecoder().decode(bytes));
  }

  async probes(pod: string, container: string): Promise<ProbeRecord | undefined> {
    const bytes = await this.#files.read(join(this.#folder(pod, container), "probe.json"));
    return bytes && parseProbes(new TextDecoder().decode(bytes));
  }

  async markReady(pod: string, container: string): Promise<void> {
    await writeFile(join(this.#folder(pod, container), "ready"), "", { mode: 0o600 });
  }

  /** Paths that are not there are no error. Throws HostError runtime-failed with podrt's own words. */
  async removeTrees(paths: readonly string[]): Promise<void> {
    const podrt = await this.#program();
    for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
      const { run } = await import("../process/run.js");
      const result = await run([podrt, "rmtree", ...paths.slice(at, at + PATHS_AT_ONCE)], REMOVE_TIMEOUT, this.#env);
      if (result.code === 0) continue;
      const why = result.stderr.trim() || result.failure || `exit code ${result.code}`;
      throw new HostError("runtime-failed", `cannot remove a container's files: ${why}`, "see: podgen doctor");
    }
  }

  async refresh(pod: string, container: string): Promise<void> {
    const { run } = await import("../process/run.js");
    const result = await run([await this.#program(), "refresh", `pods/${pod}/${container}`], REFRESH_TIMEOUT, this.#env);
    if (result.code === 0) return;
    const why = result.stderr.trim() || result.failure || `exit code ${result.code}`;
    throw new HostError("runtime-failed", `its files cannot be updated: ${why}`, `podgen restart ${pod}/${container}`);
  }

  async clearBackoff(pod: string, container: string): Promise<void> {
    await unlink(join(this.#folder(pod, container), "backoff.json")).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    });
  }

  #folder(pod: string, container: string): string {
    return join(this.#paths.run, "pods", pod, container);
  }

  /** The installed podrt, or ours where none is installed (yet, or no more). */
  async #program(): Promise<string> {
    return access(this.#paths.podrt).then(
      () => this.#paths.podrt,
      () => this.#source,
    );
  }
}
