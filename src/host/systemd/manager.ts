// The systemd user manager behind ports/manager.ts.
import type { UnitState } from "../../base/installed.js";
import type { Detail, Follower, Job, JobResult, Listed, Look, Manager, UnitFile } from "../../ports/manager.js";
import type { Connection } from "../dbus/connection.js";
import { DbusError } from "../dbus/errors.js";
import type { Message } from "../dbus/message.js";
import { openUserBus } from "../dbus/open.js";
import { belowUnit } from "./cgroup.js";
import { Events } from "./events.js";
import { Jobs } from "./jobs.js";
import { takeLock } from "./lock.js";
import { getCall, MANAGER, MANAGER_PATH, managerCall } from "./names.js";
import { listUnits, lookAtUnits, readUnit } from "./states.js";
import { findUnitFiles } from "./unit-files.js";

/** A reload reads every unit file of the user again; milliseconds. */
const RELOAD_TIMEOUT = 60_000;
/** Longer than nearly all reloads take; milliseconds. */
const NUDGE = 100;

/** Where podrt looks when its unit has no PATH (native/lib/machine.c, machine_find). */
const NO_PATH = "/usr/local/bin:/usr/bin:/bin";

export class SystemdManager implements Manager {
  readonly #connection: Connection;
  readonly #run: string;
  readonly #events: Events;
  readonly #jobs: Jobs;

  /** `run` is podgen's runtime folder, where the lock is where there is no bus. */
  constructor(connection: Connection, run: string) {
    this.#connection = connection;
    this.#run = run;
    this.#events = new Events(connection);
    this.#jobs = new Jobs(connection, this.#events);
  }

  async version(): Promise<number> {
    const text = String((await this.#connection.call(getCall(MANAGER_PATH, MANAGER, "Version"))).body()[0]);
    // `252.39-1~deb12u2`, `v257.2`
    return Number.parseInt(text.replace(/^\D*/, ""), 10) || 0;
  }

  async searchPath(): Promise<string> {
    const [block] = (await this.#connection.call(getCall(MANAGER_PATH, MANAGER, "Environment"))).body();
    const line = (Array.isArray(block) ? block : []).map(String).find((l) => l.startsWith("PATH="));
    return line?.slice("PATH=".length) || NO_PATH;
  }

  list(patterns: readonly string[], detail: (unit: Listed) => Detail = () => "full"): Promise<UnitState[]> {
    return listUnits(this.#connection, patterns, detail);
  }

  get(name: string): Promise<UnitState> {
    return readUnit(this.#connection, name);
  }

  look(names: readonly string[], more: (unit: Listed) => boolean): Promise<readonly Look[]> {
    return lookAtUnits(this.#connection, names, more);
  }

  async unitFiles(patterns: readonly string[]): Promise<ReadonlyMap<string, UnitFile>> {
    return findUnitFiles(await this.unitFolders(), patterns);
  }

  async follow(follower: Follower): Promise<void> {
    this.#connection.onSignal((message) => {
      if (isOfPods(message)) follower.changed();
    });
    await this.#events.units();
  }

  async unitFolders(): Promise<string[]> {
    const [folders] = (await this.#connection.call(getCall(MANAGER_PATH, MANAGER, "UnitPath"))).body();
    return (Array.isArray(folders) ? folders : []).map(String);
  }

  /** systemd 252 may keep its answer to itself, on the private socket, until it is asked something else there. */
  async reload(): Promise<void> {
    const nudge = setInterval(() => void this.version().catch(() => undefined), NUDGE);
    try {
      await this.#connection.call({ ...managerCall("Reload"), timeout: RELOAD_TIMEOUT });
    } finally {
      clearInterval(nudge);
    }
  }

  async enable(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#connection.call(managerCall("EnableUnitFiles", "asbb", [names, false, false]));
  }

  /** No error for a unit that has neither a file nor a link: one by one, since a name like that fails all of a call. */
  async disable(names: readonly string[]): Promise<void> {
    for (const name of names)
      await this.#connection.call(managerCall("DisableUnitFiles", "asb", [[name], false])).catch((error: unknown) => {
        if (!isNoSuchUnit(error)) throw error;
      });
  }

  start(name: string, deadline: number): Promise<JobResult> {
    return this.#jobs.run("StartUnit", name, deadline);
  }

  /** `done` for a unit that is not loaded: it does not run. An apply that was killed before its reload leaves such ones. */
  async stop(name: string, deadline: number): Promise<JobResult> {
    try {
      return await this.#jobs.run("StopUnit", name, deadline);
    } catch (error) {
      if (isNoSuchUnit(error)) return "done";
      throw error;
    }
  }

  restart(name: string, deadline: number): Promise<JobResult> {
    return this.#jobs.run("RestartUnit", name, deadline);
  }

  queue(verb: "start" | "restart", name: string, deadline: number): Promise<Job> {
    return this.#jobs.queue(verb === "start" ? "StartUnit" : "RestartUnit", name, deadline);
  }

  /** No error for a unit that is not loaded: it has nothing to reset. */
  async resetFailed(name: string): Promise<void> {
    await this.#connection.call(managerCall("ResetFailedUnit", "s", [name])).catch((error: unknown) => {
      if (!isNoSuchUnit(error)) throw error;
    });
  }

  async attach(name: string, pids: readonly number[], beside: number): Promise<void> {
    const below = belowUnit(name, beside);
    const into = (path: string) => this.#connection.call(managerCall("AttachProcessesToUnit", "ssau", [name, path, pids]));
    await into(below).catch((error: unknown) => {
      // What a container made that is not root's of the user (a user namespace of its own) is not the manager's to write to.
      if (below === "" || !(error instanceof DbusError) || !/Permission denied/.test(error.text)) throw error;
      return into("");
    });
  }

  lock(deadline: number): Promise<void> {
    return takeLock(this.#connection, this.#run, deadline);
  }

  async close(): Promise<void> {
    this.#connection.close();
  }
}

/** A unit's object path has its name with _2d for each dash. */
function isOfPods({ path, member }: Message): boolean {
  return member === "PropertiesChanged" ? /\/unit\/(?:pod|podgen)_2d/.test(path) : member === "Reloading" || member === "NameOwnerChanged";
}

function isNoSuchUnit(error: unknown): boolean {
  return error instanceof DbusError && error.name === "org.freedesktop.systemd1.NoSuchUnit";
}

/** Connects to the calling user's manager. Throws NoBusError. */
export async function openManager(env: NodeJS.ProcessEnv, run: string): Promise<SystemdManager> {
  return new SystemdManager(await openUserBus(env), run);
}
