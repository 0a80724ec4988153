// What is installed and what runs: the truth that diff compares with and apply records.

import type { CronRecord } from "./cron.js";
import type { JobRecord } from "./job.js";
import type { OwnerRef } from "./owner.js";
import type { PodEdge } from "./pod-order.js";
import { recordOf } from "./record.js";
import type { ServedPod, ServiceRecord } from "./service.js";
import type { UsernsMaps } from "./userns.js";

/** A file that podgen owns, as its manifest remembers it. */
export interface OwnedFile {
  readonly path: string;
  /** Hex sha256 of the bytes podgen wrote. */
  readonly sha256: string;
}

/** An applied ConfigMap or Secret. */
export interface OwnedObject extends OwnedFile {
  /** What it was applied from, as of a pod; absent in manifests of before this was remembered. */
  readonly source?: string;
}

/** One pod in the manifest. */
export interface ManifestPod {
  readonly name: string;
  /** Absolute path (or `-`) the pod was applied from. */
  readonly source: string;
  /** The workload that made it; absent: it was written as a Pod. */
  readonly owner?: OwnerRef;
  readonly files: readonly OwnedFile[];
  /** Units of this pod, in the order they appear in the plan. */
  readonly units: readonly string[];
  /** Names of the init containers. */
  readonly inits: readonly string[];
  /** Names of the sidecars; absent: none. */
  readonly sidecars?: readonly string[];
  /** Unit names whose file state must be `enabled` (the pod unit). */
  readonly enabled: readonly string[];
  /** container name -> image reference and manifest digest; pins images in the store. */
  readonly images: Readonly<Record<string, { readonly reference: string; readonly digest: string }>>;
  /** The same of volumes that are images; absent: none. */
  readonly volumeImages?: ManifestPod["images"];
  /** Folders under `<data>` that belong to the pod and are removed with it, uppers and emptyDirs; never a PVC's. */
  readonly folders: readonly string[];
  /** ConfigMaps and Secrets it refers to, as `Secret/login`. */
  readonly objects: readonly string[];
  /** What Services go by; absent: it has no labels. */
  readonly serve?: ServedPod;
  /** Of what is no pod but a Service (service.ts, serviceKey): what it is. */
  readonly service?: ServiceRecord;
  /** Of what is no pod but a Job (job.ts, jobKey): what it is. */
  readonly job?: JobRecord;
  /** Of what is no pod but a CronJob (cron.ts, cronKey): what it is. */
  readonly cron?: CronRecord;
  /** Pods that it waits for; absent: none. */
  readonly after?: readonly PodEdge[];
  /** Of a pod with a user namespace of its own: its ids, which are its as long as it is installed. */
  readonly userns?: UsernsMaps;
  /** Names of the shifted layers it uses (storage/shifted): kept as long as any pod names them. */
  readonly shifted?: readonly string[];
  /** Only while an apply of the pod is under way: what it has started was not judged. Still there when it was killed. */
  readonly unfinished?: true;
  /** Beside `unfinished`: that apply is the pod's first. Still there when it was killed: nobody can have stopped the pod yet. */
  readonly fresh?: true;
}

/**
 * `<state>/manifest.json`: everything podgen owns. What is not in here is never touched. Its records, and those of its
 * pods, have no prototype (record.ts): they are looked into by names that people choose.
 */
export interface Manifest {
  readonly version: 1;
  readonly pods: Readonly<Record<string, ManifestPod>>;
  /** Applied ConfigMaps and Secrets by `ConfigMap/name`: where their object file is (0600), so later applies may refer to them. */
  readonly objects: Readonly<Record<string, OwnedObject>>;
}

/** All images of a pod. */
export function imagesOf(pod: Pick<ManifestPod, "images" | "volumeImages">): { readonly reference: string; readonly digest: string }[] {
  return [...Object.values(pod.images), ...Object.values(pod.volumeImages ?? {})];
}

export const EMPTY_MANIFEST: Manifest = { version: 1, pods: recordOf(), objects: recordOf() };

/** A unit as the manager sees it. Timestamps are microseconds since the epoch, 0 for never. */
export interface UnitState {
  readonly name: string;
  readonly loadState: string;
  /** Why the manager cannot use the unit, in its words; absent where it can. */
  readonly loadError?: string;
  readonly activeState: string;
  readonly subState: string;
  readonly unitFileState: string;
  readonly fragmentPath: string;
  readonly needDaemonReload: boolean;
  /** Of a service only. */
  readonly service?: {
    readonly result: string;
    readonly mainPid: number;
    readonly execMainCode: number;
    readonly execMainStatus: number;
    readonly restarts: number;
    readonly statusText: string;
    readonly activeEnter: number;
  };
  /** A job is queued or runs for it; absent: none. */
  readonly hasJob?: true;
  /** Of a timer that has a time of the calendar before it: when that is. */
  readonly nextElapse?: number;
  /** InvocationID in hex: another one after every start, also one by systemd itself. Absent when never started. */
  readonly invocation?: string;
}

/** What a running (or once started) container says of itself in `<run>/pods/POD/CONTAINER/state.json` (native/README.md). */
export interface RunState {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, as a decimal string. */
  readonly startTime: string;
  /** The `io.podgen.digest` of the bundle it was started from. */
  readonly digest: string;
  /** Of the files that are updated while it runs, as they are now; absent: it has none. */
  readonly files?: string;
  readonly alive: boolean;
}

/**
 * How a container last ended, as podrt has written it in `<run>/pods/POD/CONTAINER/ended.json`: the manager forgets it with the next
 * start. Words of systemd.exec(5).
 */
export interface LastEnd {
  /** $SERVICE_RESULT: `success`, `exit-code`, `signal`, `oom-kill`, `watchdog`, … */
  readonly result: string;
  /** $EXIT_CODE: `exited`, `killed`, `dumped`; empty where no process was there to end. */
  readonly code: string;
  /** $EXIT_STATUS: a number, or a signal's name without SIG. */
  readonly status: string;
  /** Its termination message, as it wrote it; absent: it left none. */
  readonly message?: string;
}

/** Why podrt has ended a pod, in `<run>/pods/POD/failed.json`; gone with its next start. */
export interface PodFailure {
  /** `DeadlineExceeded` */
  readonly reason: string;
  readonly message: string;
}

/** What a probe has ended, in `<run>/pods/POD/CONTAINER/killed.json`. */
export interface ProbeKill {
  readonly pid: number;
  /** `liveness`, `startup`. */
  readonly probe: string;
  readonly message: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

export type ProbeName = "startup" | "readiness" | "liveness";

/** One probe as podrt has it in `<run>/pods/POD/CONTAINER/probe.json`. */
export interface ProbeResult {
  /** What the thresholds have decided: `unknown` is nothing yet. */
  readonly state: "unknown" | "ok" | "failed";
  /** The last result, and how many such there were in a row. */
  readonly last: "unknown" | "ok" | "failed";
  readonly run: number;
  /** When that was, seconds since the epoch; 0 for never. */
  readonly at: number;
  /** Why the last try did not succeed; empty where it did. */
  readonly message: string;
}

/** What is known of a container's probes. */
export interface ProbeRecord {
  /** The process that it is about. */
  readonly pid: number;
  /** Its startup probe has succeeded, or it has none. */
  readonly started: boolean;
  readonly ready: boolean;
  readonly probes: { readonly [K in ProbeName]?: ProbeResult };
}

/** Everything diff needs of the present, read once. */
export interface Installed {
  readonly manifest: Manifest;
  /** Present bytes by absolute path, for every path the manifest or the rendered pods name; absent when there is no such file. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly units: ReadonlyMap<string, UnitState>;
  /** By `pod/container`, `pod/_infra` for infra. */
  readonly running: ReadonlyMap<string, RunState>;
  /** unit name -> path of a file of that name that is not ours, from any search path. */
  readonly foreign: ReadonlyMap<string, string>;
}
