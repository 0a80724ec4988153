// The Plan: what shall be, fully decided, before any byte is made. Made by plan/, read by render/ and status/.

import type { ImageFacts } from "../base/facts.js";
import type { PodEdge } from "../base/pod-order.js";
import type { RolloutWish } from "../base/rollout.js";
import type { ServedPod } from "../base/service.js";
import type { Hook, OwnerRef, Probes, PullPolicy, RestartPolicy, Ulimit } from "../model/types.js";
import type { PlannedCron } from "./cron.js";
import type { FileEnv } from "./env.js";
import type { PlannedJob } from "./jobs.js";
import type { PlannedService } from "./services.js";
import type { PlannedUserns } from "./userns.js";

export type { HttpGet, Probe, ProbeHandler } from "../model/types.js";

/** A bind mount, a fresh tmpfs, or the layers of an image. */
export type PlannedMount = {
  readonly destination: string;
  /** OCI mount options and podgen's own `x-podgen.*` ones (native/README.md). */
  readonly options: readonly string[];
} & (
  | { readonly type: "bind"; readonly source: string }
  | { readonly type: "tmpfs" }
  | { readonly type: "image"; readonly image: ImageFacts }
);

/** Files that podrt writes into a tmpfs inside the container at its start (secret volumes). */
export interface PlannedFiles {
  readonly destination: string;
  /** Updated while the container runs (podgen.io/config-reload); absent: made at its start. */
  readonly live?: true;
  /** Mount just this file of the set at `destination` (a subPath). */
  readonly subPath?: string;
  readonly readOnly: boolean;
  /** The group the files are given to; absent: root's. */
  readonly group?: number;
  readonly items: readonly { readonly path: string; readonly source: string; readonly mode: number }[];
}

export interface PlannedContainer extends PlannedResources {
  readonly name: string;
  /** It runs to its end before what comes next. */
  readonly init: boolean;
  /** It starts among the init containers, and goes on beside the others. */
  readonly sidecar?: true;
  readonly restartPolicy: RestartPolicy;
  /** Exit codes after which it is started anew whatever the policy says, in order; absent: none. */
  readonly restartCodes?: readonly number[];
  /** `pod-web_app.service` */
  readonly unit: string;
  /** Absolute folder of config.json. */
  readonly bundle: string;
  readonly image: ImageFacts;
  readonly pullPolicy: PullPolicy;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Marks of addresses stand in args and env (plan/addresses.ts). */
  readonly addresses?: boolean;
  /** Variable name -> absolute path of the file in the secret store with its value. */
  readonly secretEnv: Readonly<Record<string, string>>;
  /** Variables that are read from files of volumes at start. */
  readonly fileEnv: readonly FileEnv[];
  readonly cwd: string;
  /** Numeric ids when the spec or image gives numbers; else `userName` for podrt to look up in the rootfs. */
  readonly uid: number;
  readonly gid: number;
  readonly userName?: string;
  /** Further groups, by number; absent: none. */
  readonly groups?: readonly number[];
  /** The image's /etc/group gives no further ones. */
  readonly strictGroups?: boolean;
  readonly capabilities: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  /** No system call is filtered. */
  readonly unconfined: boolean;
  /** A profile of the user's own: its JSON, on one line. */
  readonly seccomp?: string;
  /** The AppArmor profile that its process has; absent: none. */
  readonly apparmor?: string;
  /** All that the user can give. */
  readonly privileged?: boolean;
  /** Paths of /proc and /sys that tell of the host are hidden or write-protected. */
  readonly maskedPaths: boolean;
  readonly terminal: boolean;
  /** Nobody reads what it writes. */
  readonly noLog?: boolean;
  /** As in the model. */
  readonly stdin?: "open" | "once";
  /** As in the model, clean. */
  readonly messagePath?: string;
  readonly messageFromLogs?: true;
  readonly mounts: readonly PlannedMount[];
  readonly files: readonly PlannedFiles[];
  /** Number of the signal that follows an update of its files; absent: none. */
  readonly reloadSignal?: number;
  /** Folder for the writable layer. */
  readonly upper: string;
  readonly stopSignal: string;
  /** Absent: none. */
  readonly probes?: Probes;
  /** Absent: nothing. */
  readonly postStart?: Hook;
  /** Absent: nothing, as where there is no grace to do it in. */
  readonly preStop?: Hook;
  /** Its cgroup is its own to divide: for an init, and for who could mount it so by itself. */
  readonly writableCgroup: boolean;
  /** It says itself when it is ready. */
  readonly notify: boolean;
  readonly watchdogSeconds?: number;
  /** Absent: the user's own limits. */
  readonly ulimits?: readonly Ulimit[];
}

/** Kubernetes' resources in systemd's terms. */
export interface PlannedResources {
  readonly cpuQuotaPercent?: number;
  readonly cpuWeight?: number;
  readonly memoryMax?: number;
  readonly memoryMin?: number;
  /** systemd's TasksMax=; absent: what its default is. */
  readonly tasksMax?: number | "infinity";
  readonly allowedCpus?: string;
  readonly allowedMemoryNodes?: string;
}

/** A published port: one socket unit and one forwarder unit. */
export interface PlannedPort {
  /** `pod-web__8080-tcp` (with the host address in the name if one is given); `.socket` and `.service` are added. */
  readonly unit: string;
  readonly protocol: "TCP" | "UDP";
  readonly hostPort: number;
  readonly hostIP: string;
  readonly containerPort: number;
  /** The container that gets the socket itself, and the socket's name there; absent: a forwarder carries its connections. */
  readonly passed?: { readonly container: string; readonly name: string };
  /** The pods that its connections may go to, a stand-in of the pod's among them; absent: the pod alone, by its forwarder. */
  readonly spread?: { readonly list: string; readonly backends: readonly string[] };
}

/** A file of bytes that is not a unit and not a bundle: config volumes, the secret store, applied objects. */
export interface PlannedData {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly secret: boolean;
}

/** A pod that another waits for. */
export interface PlannedAfter extends PodEdge {
  /** The units of its containers, as far as they are known now: what waits stops before them. */
  readonly units: readonly string[];
}

export interface PodPlan {
  readonly name: string;
  /** Absolute path of the spec file, or `-`. */
  readonly source: string;
  /** The workload that makes it; absent: it was written as a Pod. */
  readonly owner?: OwnerRef;
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly graceSeconds: number;
  /** How long connections may go on before containers are asked to end; absent: nobody has any, or they are not waited for. */
  readonly drainSeconds?: number;
  /** Absent: none. */
  readonly deadlineSeconds?: number;
  readonly hostNetwork: boolean;
  /** As in the model. */
  readonly processes?: "shared" | "host";
  readonly hostIPC?: boolean;
  readonly hostname: string;
  /** Names of its own line in /etc/hosts; absent: the host name alone. */
  readonly ownNames?: readonly string[];
  /** Lines for /etc/hosts and /etc/resolv.conf; `alone`: they are the whole of the latter. Absent: none. */
  readonly hosts?: string;
  readonly resolv?: { readonly text: string; readonly alone: boolean };
  /** Kernel settings of the pod's namespaces; absent: none. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** What all containers together may use and are to have. */
  readonly resources: PlannedResources;
  /** Absent: the user's one namespace. */
  readonly userns?: PlannedUserns;
  readonly uplink: boolean;
  /** What Services go by; absent: it has no labels. */
  readonly serve?: ServedPod;
  /** Pods that it waits for, sorted by name; absent: none. */
  readonly after?: readonly PlannedAfter[];
  readonly containers: readonly PlannedContainer[];
  readonly ports: readonly PlannedPort[];
  /** Volumes that are images. */
  readonly imageVolumes: readonly { readonly name: string; readonly image: ImageFacts }[];
  /** Absolute paths of the emptyDirs of medium Memory, with a size in bytes where they have one: infra mounts a tmpfs on each. */
  readonly memoryVolumes: readonly (string | { readonly path: string; readonly size: number })[];
  readonly data: readonly PlannedData[];
  /** Folders under data that go when the pod is deleted (uppers, emptyDirs). */
  readonly folders: readonly string[];
  /** ConfigMaps and Secrets the pod refers to, as `Secret/login`: forgotten with the last pod that does. */
  readonly objects: readonly string[];
}

/** How the pods of a workload are replaced. */
export interface PlannedWorkload {
  readonly rollout: RolloutWish;
  /** Names of its pods, by their numbers. */
  readonly pods: readonly string[];
  /** Pods that may stand in meanwhile. */
  readonly surge: readonly PodPlan[];
}

/** All of one apply. */
export interface Plan {
  readonly pods: readonly PodPlan[];
  /** Those of this apply, and installed ones whose pods are others now. */
  readonly services: readonly PlannedService[];
  /** Absent: none. */
  readonly jobs?: readonly PlannedJob[];
  /** Absent: none. */
  readonly crons?: readonly PlannedCron[];
  /** ConfigMaps and Secrets themselves, kept so that later applies may refer to them. */
  readonly objects: readonly (PlannedData & { readonly key: string; readonly source: string })[];
  /** Whether podgen-pause.service is needed: as soon as there is a pod. */
  readonly pause: boolean;
  /** Claims that one pod alone may use. */
  readonly exclusiveClaims: readonly string[];
  /** Absent: none. */
  readonly workloads?: readonly PlannedWorkload[];
}
