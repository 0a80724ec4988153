// What people look at: the state of pods and containers, in Kubernetes' words.
import type { ConcurrencyPolicy } from "../base/cron.js";
import type { EndWord } from "../base/end.js";
import type { ProbeRecord } from "../base/installed.js";
import type { JobPhase } from "../base/job.js";
import type { OwnerRef } from "../base/owner.js";

export type ContainerPhase = "Running" | "Starting" | "Completed" | "Error" | "CrashLoopBackOff" | "Stopped" | "Missing";
export type PodPhase = "Running" | "Pending" | "Waiting" | "Succeeded" | "Failed" | "CrashLoopBackOff" | "Stopped" | "Degraded";

export interface ContainerStatus {
  readonly name: string;
  readonly unit: string;
  readonly init: boolean;
  /** One that started among the init containers and goes on beside the others; absent: it is none. */
  readonly sidecar?: true;
  readonly phase: ContainerPhase;
  readonly ready: boolean;
  readonly restarts: number;
  readonly pid: number;
  /** Why it last ended; absent, as the next two, while it has not since it was started by a person, an apply or the boot. */
  readonly reason?: EndWord;
  /** 137 of one that was OOMKilled, as Kubernetes has it. */
  readonly exitCode?: number;
  readonly signal?: string;
  /** Its termination message, as it wrote it; absent: it left none. */
  readonly terminationMessage?: string;
  /** Milliseconds since the epoch of the last start; absent when it was never started. */
  readonly startedAt?: number;
  /** What its probes have found of the process that runs; absent: it has none. */
  readonly probes?: ProbeRecord["probes"];
  readonly image: string;
  readonly digest: string;
  /** The unit's STATUS= text, `CrashLoopBackOff, next try in 20 s` say. */
  readonly message: string;
}

export interface PodStatus {
  readonly name: string;
  readonly phase: PodPhase;
  /** Why podgen ended it: `DeadlineExceeded`; absent: it did not. */
  readonly reason?: string;
  /** It is stopped until a person releases it (podgen hold); absent: it is not. */
  readonly held?: true;
  /** Of one that is Waiting: `pod db to be ready`; absent: it waits for no other pod. */
  readonly waitsFor?: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly startedAt?: number;
  readonly source: string;
  /** The workload that made it; absent: it was written as a Pod. */
  readonly owner?: OwnerRef;
  /** `8080/tcp`, `127.0.0.1:53/udp`. */
  readonly ports: readonly string[];
  /** True when systemd starts it at boot. */
  readonly enabled: boolean;
  readonly containers: readonly ContainerStatus[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly type: string;
  /** `30080->8080/tcp`: the host's port, and the pods'. */
  readonly ports: readonly string[];
  /** Those of them that nobody listens on now. */
  readonly closed: readonly string[];
  readonly pods: readonly { readonly name: string; readonly ready: boolean }[];
  readonly source: string;
}

/** One run of a CronJob. Times in milliseconds since the epoch. */
export interface CronRun {
  readonly job: string;
  readonly phase: JobPhase;
  /** Empty: nothing out of the ordinary. */
  readonly reason: string;
  readonly startedAt: number;
  /** Absent: it goes on. */
  readonly finishedAt?: number;
  /** Pods that have. */
  readonly succeeded: number;
  readonly failed: number;
}

/** Times in milliseconds since the epoch. */
export interface CronStatus {
  readonly name: string;
  readonly schedule: string;
  /** Absent: the host's. */
  readonly timeZone?: string;
  readonly policy: ConcurrencyPolicy;
  readonly suspend: boolean;
  /** Somebody has stopped its timer, or it does not work. */
  readonly stopped: boolean;
  /** Names of the Jobs that go on. */
  readonly active: readonly string[];
  /** What the last run by the clock was for; absent: there was none. */
  readonly last?: number;
  /** Absent: never, as it is. */
  readonly next?: number;
  /** Those that are remembered, the newest first. */
  readonly runs: readonly CronRun[];
  readonly source: string;
}

export type ShownJobPhase = "Running" | "Complete" | "Failed" | "Suspended" | "Stopped";

export interface JobStatus {
  readonly name: string;
  readonly phase: ShownJobPhase;
  /** `BackoffLimitExceeded`; absent: nothing out of the ordinary. */
  readonly reason?: string;
  readonly message?: string;
  /** Absent: one pod that succeeds is enough. */
  readonly completions?: number;
  readonly succeeded: number;
  /** Pods that run now. */
  readonly active: number;
  readonly failed: number;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** The CronJob whose run it is; absent: it was written as a Job. */
  readonly cron?: string;
  readonly source: string;
}
