// What a transaction is given and what it reports.
import type { Manifest } from "../base/installed.js";
import type { Files, Images, Journal, Manager, Runtime } from "./ports.js";

export interface ApplyPorts {
  readonly manager: Manager;
  readonly files: Files;
  readonly images: Images;
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** Time, as the transaction needs it: to judge that a container stays up, and to bound its waits. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends after so many milliseconds. */
  sleep(ms: number): Promise<void>;
}

export interface ApplyOptions {
  /** What podgen owned when the change set was made, under the same lock. */
  readonly manifest: Manifest;
  /** Absolute path of the manifest. */
  readonly manifestPath: string;
  /** podgen's own folders: empty parents are removed up to these. */
  readonly roots: readonly string[];
  /** false: return as soon as the start is queued and running (`--no-wait`), and judge nothing. */
  readonly wait: boolean;
  /** Milliseconds a pod may take until it is ready. */
  readonly timeout: number;
  /** What its probes may need comes on top of that. */
  readonly patient?: boolean;
  /** Milliseconds a unit may take to stop, beyond what its own stop time-out says. */
  readonly stopTimeout: number;
}

/** Why a container is not as wanted, with what a person needs to mend it. */
export interface ContainerFailure {
  readonly pod: string;
  /** Absent when it is not about a container: a published port, the pod as a whole. */
  readonly container?: string;
  readonly unit: string;
  /** `exited with status 1`, `killed by signal 9 (SIGKILL)`, `did not become ready in 60 s`. */
  readonly reason: string;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly restarts: number;
  readonly lastLines: readonly string[];
  readonly hint: string;
}

export type Outcome = "created" | "configured" | "started" | "unchanged" | "deleted" | "rolled-back" | "failed";

export interface PodReport {
  readonly name: string;
  readonly outcome: Outcome;
  /** One word per unit that was acted on: `pod-web_app.service restarted`. */
  readonly actions: readonly string[];
  readonly failures: readonly ContainerFailure[];
}

/** What became of a ConfigMap or Secret that was to go. */
export interface ObjectReport {
  /** `Secret/login` */
  readonly name: string;
  readonly outcome: "deleted" | "kept" | "not-found";
  /** Pods that refer to one that is kept. */
  readonly pods: readonly string[];
}

export interface ApplyReport {
  readonly pods: readonly PodReport[];
  readonly objects: readonly ObjectReport[];
  /** What works less well than it could on this machine, and how to mend it. */
  readonly warnings: readonly string[];
  readonly changed: boolean;
  /** 0 done; 1 failed, nothing changed; 3 failed and rolled back, healthy again; 4 failed and still broken. */
  readonly exitCode: 0 | 1 | 3 | 4;
}
