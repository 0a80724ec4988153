// The systemd user manager, as apply and status need it. Implemented by host/systemd/ over D-Bus.
import type { UnitState } from "../base/installed.js";

/** How a job ended (JobRemoved's result): `done`, `failed`, `canceled`, `timeout`, `dependency`, `skipped`, …; `deadline` when we stopped waiting. */
export type JobResult = string;

/** A unit as a listing shows it. */
export interface Listed extends Pick<UnitState, "name" | "loadState" | "activeState" | "subState"> {
  /** Number of the job that is queued or runs for it; 0 for none. */
  readonly job: number;
}

export interface Look {
  readonly listed: Listed;
  /** Of one of which more was wanted. */
  readonly state?: UnitState;
}

/**
 * How closely a listing looks at a unit. `full`: all of it; `brief`: without `service`, which takes half the time; `listed`: what the
 * listing gives for nothing, so `unitFileState` and `fragmentPath` are empty and `needDaemonReload` false.
 */
export type Detail = "full" | "brief" | "listed";

/** A unit file on disk. */
export interface UnitFile {
  readonly path: string;
  /** `enabled` where a link of its [Install] section starts it, else empty. */
  readonly state: string;
}

/** A job that the manager has taken on. */
export interface Job {
  /** How it ends, `deadline` milliseconds from its queueing at most. Rejects when the connection ends. */
  readonly result: Promise<JobResult>;
}

/** Read-only half: all that `diff`, `plan`, `status` and `validate` are ever given. */
export interface ManagerReader {
  /** Major version of the manager. */
  version(): Promise<number>;
  /** The PATH that its units have. */
  searchPath(): Promise<string>;
  /** Loaded units that match any glob (`pod-*`), with the truth of each; `full` when nothing else is said. */
  list(patterns: readonly string[], detail?: (unit: Listed) => Detail): Promise<UnitState[]>;
  /** One unit, loaded if need be; `loadState` is `not-found` where there is none. */
  get(name: string): Promise<UnitState>;
  /**
   * These units, loaded if need be, in one call; each for which `more` holds costs one more. For looks that are repeated.
   */
  look(names: readonly string[], more: (unit: Listed) => boolean): Promise<readonly Look[]>;
  /** Unit files on disk that match a glob, by name, from every search path. */
  unitFiles(patterns: readonly string[]): Promise<ReadonlyMap<string, UnitFile>>;
  /** Subscribed when it returns; for as long as the connection lasts. */
  follow(follower: Follower): Promise<void>;
}

/** Who wants to know when something changes. */
export interface Follower {
  /** A hint: units of pods may have changed, or the manager was started anew. The truth is to be read again. */
  changed(): void;
}

/** The half that changes something. Every call has a deadline in milliseconds. */
export interface Manager extends ManagerReader {
  reload(): Promise<void>;
  enable(names: readonly string[]): Promise<void>;
  disable(names: readonly string[]): Promise<void>;
  /** Queue a job and wait for its end, subscribed before it is queued. Rejects only on D-Bus errors. */
  start(name: string, deadline: number): Promise<JobResult>;
  stop(name: string, deadline: number): Promise<JobResult>;
  restart(name: string, deadline: number): Promise<JobResult>;
  /** Ends when the job is queued. Rejects with the D-Bus error by which the manager refuses it, as of a unit with a bad setting. */
  queue(verb: "start" | "restart", name: string, deadline: number): Promise<Job>;
  resetFailed(name: string): Promise<void>;
  /** Moves processes into the cgroup that process `beside` of the unit is in: the unit's own, or one below it (AttachProcessesToUnit). */
  attach(name: string, pids: readonly number[], beside: number): Promise<void>;
  /** Ends when the lock is held: one writer at a time per user (the bus name io.podgen.Writer; freed by the bus when we die). */
  lock(deadline: number): Promise<void>;
  close(): Promise<void>;
}
