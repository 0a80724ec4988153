// Jobs: what is planned and remembered of one, and what its controller (podrt job) says of it.
import type { OwnerRef } from "./owner.js";

/** What the manifest keeps of a Job. */
export interface JobRecord {
  readonly name: string;
  /** Hex digest of what makes it another run when it changes. */
  readonly run: string;
  /** Absolute path of what the controller remembers (JobState). */
  readonly state: string;
  /** Absent: one pod that succeeds is enough. */
  readonly completions?: number;
  readonly parallelism: number;
  readonly suspend: boolean;
  /** Names of its pods, by their numbers: each is used again for the next attempt. */
  readonly slots: readonly string[];
  /** The CronJob whose run it is; absent: it was written as a Job. */
  readonly cron?: string;
}

export type JobPhase = "running" | "suspended" | "complete" | "failed" | "expired";

/** What podgen reads of a controller's state file (native/README.md has all of it). Times in seconds since the epoch, 0 for never. */
export interface JobState {
  readonly run: string;
  readonly phase: JobPhase;
  /** `BackoffLimitExceeded`; empty: nothing out of the ordinary. */
  readonly reason: string;
  readonly message: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly succeeded: number;
  readonly failed: number;
  /** `0,3-5` */
  readonly completedIndexes: string;
  readonly failedIndexes: string;
  /** No slot is started again before; each slot may have its own. */
  readonly retryAt: number;
  /** Those that were started at least once. `up`: it runs. */
  readonly slots: readonly { readonly pod: string; readonly up: boolean; readonly attempt: number; readonly retryAt: number }[];
}

const PREFIX = "job/";

/** What stands for a Job among the pods of manifest, change set and report; no pod's name has a slash. */
export function jobKey(name: string): string {
  return `${PREFIX}${name}`;
}

export function isJobKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** A pod whose controller starts and stops it, and nobody else. */
export function isDriven(owner: Pick<OwnerRef, "kind"> | undefined): boolean {
  return owner?.kind === "Job";
}

/** The state in a controller's file; undefined where there is none, or it is none that this podgen can read. */
export function parseJobState(bytes: Uint8Array | undefined): JobState | undefined {
  if (bytes === undefined) return undefined;
  try {
    const state = JSON.parse(new TextDecoder().decode(bytes)) as (JobState & { readonly version: number }) | null;
    return state?.version === 1 && Array.isArray(state.slots) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** The state of the Job as it is wanted: undefined where another run's is remembered, or none. */
export function stateOf(job: Pick<JobRecord, "run">, state: JobState | undefined): JobState | undefined {
  return state?.run === job.run ? state : undefined;
}

/** Nothing more happens to it by itself, but for its end of time to live. */
export function isFinished(state: JobState | undefined): boolean {
  return state?.phase === "complete" || state?.phase === "failed";
}
