// The model: typed, defaulted, cross-checked objects, each knowing where it came from. Made by model/, read by plan/.
import type { ConcurrencyPolicy, CronSchedule } from "../base/cron.js";
import type { Location } from "../base/diagnostic.js";
import type { OwnerRef } from "../base/owner.js";
import type { PodCondition } from "../base/pod-order.js";
import type { RolloutWish } from "../base/rollout.js";
import type { UsernsWish } from "../base/userns.js";

export type { OwnerRef } from "../base/owner.js";
export type { UsernsWish } from "../base/userns.js";

export type WorkloadKind = "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet";

export interface ObjectRef {
  readonly kind:
    | "Pod"
    | "ConfigMap"
    | "Secret"
    | "PersistentVolumeClaim"
    | "Service"
    | "ServiceAccount"
    | "Namespace"
    | "Job"
    | "CronJob"
    | WorkloadKind;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly at: Location;
}

export type RestartPolicy = "Always" | "OnFailure" | "Never";
export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/** A field of the pod, or a resource of a container (its own when absent) in units of a quantity (model/kube/downward.ts). */
export type DownwardValue =
  | { readonly kind: "field"; readonly path: string }
  | { readonly kind: "resource"; readonly resource: string; readonly divisor: string; readonly container?: string };

/** Where an environment variable's value comes from. */
export type EnvSource =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "configMapKey" | "secretKey"; readonly name: string; readonly key: string; readonly optional: boolean }
  /** A line of a file of an emptyDir, read when the container starts. */
  | { readonly kind: "fileKey"; readonly volume: string; readonly path: string; readonly key: string; readonly optional: boolean }
  | DownwardValue;

export interface EnvVar {
  readonly name: string;
  readonly source: EnvSource;
  readonly at: Location;
}

export interface EnvFrom {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly prefix: string;
  readonly optional: boolean;
  readonly at: Location;
}

export interface Port {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  /** Empty: every address, IPv4 and IPv6. */
  readonly hostIP: string;
  readonly protocol: "TCP" | "UDP";
  readonly at: Location;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly subPath: string;
  /** A subPath with variables, in place of one; absent: there is none. */
  readonly subPathExpr?: string;
  /** What the host mounts below later is seen inside; absent: it is not. */
  readonly fromHost?: true;
  /** Read-only with all that is mounted below; absent: not that. */
  readonly recursiveReadOnly?: true;
  readonly at: Location;
}

export interface Resources {
  /** Millicores; absent: no limit. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

export interface ContainerSecurity {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly readOnlyRootFilesystem: boolean;
  /** The process must not be root; absent: it may. */
  readonly nonRoot?: true;
  /** Set-uid programs gain nothing; absent: they do. */
  readonly noNewPrivileges?: true;
  /** No system call is filtered; absent: the usual profile applies, or `seccompFile`. */
  readonly unconfined?: true;
  /** A profile of the user's, by its path below the settings' seccomp folder. */
  readonly seccompFile?: string;
  /** The name of a loaded AppArmor profile, or the runtime's own; absent: none. */
  readonly apparmor?: { readonly kind: "loaded"; readonly name: string } | { readonly kind: "default" };
  /** It asks for an SELinux label; absent: it does not. */
  readonly selinux?: true;
  /** All that the user can give; absent: what the other fields say. */
  readonly privileged?: true;
  /** Further groups; absent: none. */
  readonly groups?: readonly number[];
  /** The image's /etc/group gives no further ones; absent: it does. */
  readonly strictGroups?: true;
  /** Unmasked: nothing of /proc and /sys is hidden or write-protected. */
  readonly procMount: "Default" | "Unmasked";
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
}

/** What is done after a container's start or before its stop; a command is in the container, by its own words. */
export type Hook =
  | { readonly kind: "exec"; readonly command: readonly string[] }
  | HttpGet
  | { readonly kind: "sleep"; readonly seconds: number };

/** A rule by which a container is started again whatever its policy says: its exit code is one of these, or none of them. */
export interface RestartRule {
  readonly in: boolean;
  readonly codes: readonly number[];
}

/** What a web server is asked; its port by number, a host that is empty is the pod itself. */
export interface HttpGet {
  readonly kind: "httpGet";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
  readonly headers: readonly (readonly [string, string])[];
}

/** What a probe does; ports by number, a host that is empty is the pod itself. */
export type ProbeHandler =
  | { readonly kind: "exec"; readonly command: readonly string[] }
  | HttpGet
  | { readonly kind: "tcpSocket"; readonly host: string; readonly port: number }
  | { readonly kind: "grpc"; readonly port: number; readonly service: string };

/** Seconds, and how often in a row. */
export interface Probe {
  readonly handler: ProbeHandler;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** Absent: the pod's. */
  readonly terminationGracePeriodSeconds?: number;
}

export type ProbeKind = "startup" | "readiness" | "liveness";

/** At least one. */
export type Probes = { readonly [K in ProbeKind]?: Probe };

/** A limit of setrlimit(2), `nofile`; -1: none. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** By its name in the Container Device Interface, or a node (or folder of nodes) of the host by its path. */
export type Device =
  | { readonly kind: "cdi"; readonly name: string; readonly at: Location }
  | { readonly kind: "path"; readonly path: string; readonly destination: string; readonly at: Location };

export interface Container {
  readonly name: string;
  /** Absent: none. */
  readonly devices?: readonly Device[];
  /** How many processes it may have; 0: no limit of its own. Absent: podgen's own. */
  readonly pidsLimit?: number;
  /** Processors and memory nodes, in the kernel's list format; absent: all. */
  readonly cpuset?: string;
  readonly memoryNodes?: string;
  /** Absent: the user's. */
  readonly ulimits?: readonly Ulimit[];
  readonly init: boolean;
  /** An init container that goes on beside the others (restartPolicy Always); absent: it runs to its end. */
  readonly sidecar?: true;
  /** Absent: the pod's. */
  readonly restartPolicy?: RestartPolicy;
  /** Absent: none. */
  readonly restartRules?: readonly RestartRule[];
  /** Normalised full reference (spec of references: model/kube/image.ts), or a short name with its tag or digest until cli/short-names.ts has settled it. */
  readonly image: string;
  readonly imagePullPolicy: PullPolicy;
  /** Absent: the image's entrypoint (an empty list means the same, as in Kubernetes). */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly EnvVar[];
  readonly envFrom: readonly EnvFrom[];
  readonly ports: readonly Port[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly limits: Resources;
  readonly requests: Resources;
  readonly tty: boolean;
  /** Absent: the image's. */
  readonly stopSignal?: string;
  /** Absent: none. */
  readonly probes?: Probes;
  /** Absent: nothing. */
  readonly postStart?: Hook;
  readonly preStop?: Hook;
  /** It says itself when it is ready (sd_notify(3)); absent: it is ready when it was started. */
  readonly notify?: true;
  /** Seconds within which it has to say that it is alive; absent: nobody asks. */
  readonly watchdogSeconds?: number;
  /** Files of its volumes are updated while it runs; absent: a change restarts it. */
  readonly updatesFiles?: true;
  /** Number of the signal that it is sent after that; absent: none. */
  readonly reloadSignal?: number;
  /** Somebody may attach to its standard input: all who come, or the first alone; absent: it is empty, or the terminal's. */
  readonly stdin?: "open" | "once";
  /** Absolute path of the file for its last words; absent: podrt's default, /dev/termination-log. */
  readonly messagePath?: string;
  /** A failed one that left none has the end of its log; absent: it has not. */
  readonly messageFromLogs?: true;
  /** Nobody reads what it writes; absent: it goes to the journal. */
  readonly noLog?: true;
  /** Names of the ports whose listening sockets it has from systemd; absent: none. */
  readonly sockets?: readonly string[];
  readonly security: ContainerSecurity;
  readonly at: Location;
  readonly imageAt: Location;
}

export type HostPathType = "" | "DirectoryOrCreate" | "Directory" | "FileOrCreate" | "File" | "Socket" | "CharDevice" | "BlockDevice";

/** `items` absent: every key under its own name. Modes are plain numbers (0644 is 420). */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/** A file with a field of the pod. */
export interface DownwardFile {
  readonly path: string;
  readonly mode?: number;
  readonly value: DownwardValue;
  readonly at: Location;
}

/** Keys of a ConfigMap or Secret as files. */
export interface KeyFiles {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly items?: readonly KeyToPath[];
  readonly optional: boolean;
}

/** One of the sources of a projected volume. */
export type Projection = (KeyFiles & { readonly at: Location }) | { readonly kind: "downwardAPI"; readonly items: readonly DownwardFile[] };

export type VolumeSource =
  /** `sizeLimit` in bytes; absent: none. */
  | { readonly kind: "emptyDir"; readonly medium: "" | "Memory"; readonly sizeLimit?: number }
  | { readonly kind: "hostPath"; readonly path: string; readonly type: HostPathType }
  | (KeyFiles & { readonly defaultMode: number })
  /** A downwardAPI volume is one of a single source. */
  | { readonly kind: "projected"; readonly defaultMode: number; readonly sources: readonly Projection[] }
  | { readonly kind: "persistentVolumeClaim"; readonly claimName: string; readonly readOnly: boolean }
  /** The files of an image, as in a Container. */
  | { readonly kind: "image"; readonly image: string; readonly imagePullPolicy: PullPolicy; readonly imageAt: Location };

export interface Volume {
  readonly name: string;
  readonly source: VolumeSource;
  readonly at: Location;
}

/** `alone`: nothing of the host's (dnsPolicy None). */
export interface DnsWish {
  readonly alone: boolean;
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** `ndots:2` */
  readonly options: readonly string[];
}

/** A pod, or all pods of a workload, that a pod waits for. */
export interface PodOrder {
  readonly name: string;
  /** `pod`, `statefulset`, …; absent: the pod of that name, else the workload. */
  readonly kind?: string;
  readonly condition: PodCondition;
  /** It is started along, and stopping it stops this pod. */
  readonly requires: boolean;
  readonly at: Location;
}

export interface PodModel extends ObjectRef {
  readonly kind: "Pod";
  /** The workload that makes it; absent: it was written as a Pod. */
  readonly owner?: OwnerRef;
  /** Other pods that it waits for; absent: none. */
  readonly order?: readonly PodOrder[];
  readonly restartPolicy: RestartPolicy;
  readonly terminationGracePeriodSeconds: number;
  /** How long connections may go on before a container is asked to end; absent: as long as podgen thinks. */
  readonly drainSeconds?: number;
  /** How long the pod may be up; absent: for ever. */
  readonly activeDeadlineSeconds?: number;
  /** Absent: default. */
  readonly serviceAccountName?: string;
  readonly hostNetwork: boolean;
  /** Whose processes its containers see: each other's, or the host's; absent: their own. */
  readonly processes?: "shared" | "host";
  /** Shared memory, semaphores and queues are the host's; absent: the pod's own. */
  readonly hostIPC?: true;
  /** Absent: the pod's name. */
  readonly hostname?: string;
  /** The domain of the pod's host name within its namespace; absent: it has none. */
  readonly subdomain?: string;
  /** The host name is the full one, with its domain; absent: it is not. */
  readonly fqdn?: true;
  /** Whom volumes are given to; absent: nobody. */
  readonly fsGroup?: FsGroup;
  /** Further names of addresses; absent: none. */
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  /** What the pod wants of /etc/resolv.conf; absent: the host's name servers. */
  readonly dns?: DnsWish;
  /** Kernel settings by name; absent: none. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** What all containers may use and are to have together; absent: no limit. */
  readonly limits?: Resources;
  readonly requests?: Resources;
  /** Absent: shared. */
  readonly userns?: UsernsWish;
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  /** Names of Secrets with logins for the pod's images; absent: none. */
  readonly imagePullSecrets?: readonly PullSecretRef[];
  /** The ServiceAccount that they are of; absent: the pod names them itself. */
  readonly account?: string;
}

/** `always`: at each start of the pod, also where a volume has the group already. */
export interface FsGroup {
  readonly gid: number;
  readonly always: boolean;
}

export interface PullSecretRef {
  readonly name: string;
  readonly at: Location;
}

export interface ConfigMapModel extends ObjectRef {
  readonly kind: "ConfigMap";
  /** Keys of data (as UTF-8) and binaryData together. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** Once applied, its content may not change until it is deleted; absent: false. */
  readonly immutable?: boolean;
}

export interface SecretModel extends ObjectRef {
  readonly kind: "Secret";
  readonly type: string;
  /** Decoded bytes of data and stringData together. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** Once applied, its content may not change until it is deleted; absent: false. */
  readonly immutable?: boolean;
}

/** What a claim says of itself; the volume of its name is a folder of podgen's. */
export interface ClaimModel extends ObjectRef {
  readonly kind: "PersistentVolumeClaim";
  /** ReadWriteOncePod among them: one pod alone may use it. The others mean the same on one machine. */
  readonly accessModes: readonly string[];
  /** Bytes; absent: not said. */
  readonly storage?: number;
  /** Absent: the default. */
  readonly storageClassName?: string;
  /** Whose the volume is when it is made, as ids of the pod that makes it; absent: root's, and open to all. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface ServiceAccountModel extends ObjectRef {
  readonly kind: "ServiceAccount";
  /** For the images of pods that say this account and name no such Secrets themselves. */
  readonly imagePullSecrets: readonly PullSecretRef[];
}

/** What makes pods. They are among the model's pods, each with this as its owner. */
export interface WorkloadModel extends ObjectRef {
  readonly kind: WorkloadKind;
  /** How many pods it has. */
  readonly replicas: number;
  readonly rollout: RolloutWish;
  /** Names of the claims that its pods have by templates. */
  readonly claims: readonly string[];
  /** Pods of the next numbers, that may stand in while others are replaced. */
  readonly surge: readonly PodModel[];
}

/** What a failed pod of a Job means; the first rule that fits counts. */
export type FailureRule = { readonly action: "FailJob" | "FailIndex" | "Ignore" | "Count" } & (
  | {
      /** Absent: any that failed. */
      readonly container?: string;
      readonly operator: "In" | "NotIn";
      /** Exit codes. */
      readonly values: readonly number[];
    }
  /** Whether somebody else stopped it. */
  | { readonly conditions: readonly { readonly type: "DisruptionTarget"; readonly status: string }[] }
);

/** Both that are said must hold. */
export interface SuccessRule {
  /** `0,3-5`; absent: any. */
  readonly succeededIndexes?: string;
  /** Absent: all of them. */
  readonly succeededCount?: number;
}

/** Pods that run to their end. They are among the model's pods, each with this as its owner. */
export interface JobModel extends ObjectRef {
  readonly kind: "Job";
  /** Hex digest of what makes it another run when it changes. */
  readonly run: string;
  readonly indexed: boolean;
  /** Absent: one pod that succeeds is enough. */
  readonly completions?: number;
  readonly parallelism: number;
  readonly suspend: boolean;
  readonly restartPolicy: "Never" | "OnFailure";
  /** Undefined: there is none for all together. */
  readonly backoffLimit?: number | undefined;
  readonly backoffLimitPerIndex?: number | undefined;
  readonly maxFailedIndexes?: number | undefined;
  readonly activeDeadlineSeconds?: number | undefined;
  /** Undefined: it is kept. */
  readonly ttlSecondsAfterFinished?: number | undefined;
  /** A pod that is ending is replaced when it has ended (podReplacementPolicy Failed). */
  readonly replacesFailed?: boolean;
  readonly failurePolicy: readonly FailureRule[];
  readonly successPolicy: readonly SuccessRule[];
  /** Names of its pods, by their numbers. */
  readonly slots: readonly string[];
  /** The CronJob whose run it is; absent: it was written as a Job. */
  readonly cron?: string;
}

/** Jobs by the clock. They are among the model's Jobs, each with this as its `cron`. */
export interface CronModel extends ObjectRef {
  readonly kind: "CronJob";
  /** As written. */
  readonly schedule: string;
  readonly when: CronSchedule;
  /** Absent: the host's. */
  readonly timeZone?: string;
  readonly zoneAt?: Location;
  readonly policy: ConcurrencyPolicy;
  /** Absent: a run may begin however late. */
  readonly deadlineSeconds?: number;
  /** How many ended runs are kept. */
  readonly keepSucceeded: number;
  readonly keepFailed: number;
  readonly suspend: boolean;
  /** How long each of them is kept; absent: until there are too many. */
  readonly ttlSeconds?: number;
  /** Names of the Jobs that stand ready. */
  readonly jobs: readonly string[];
}

export interface ServicePortModel {
  readonly name?: string;
  readonly port: number;
  /** A number, or the name of a container's port. */
  readonly target: number | string;
  readonly nodePort?: number;
  readonly protocol: "TCP" | "UDP";
  readonly at: Location;
}

/** A Service with a port of the host; others are refused. */
export interface ServiceModel extends ObjectRef {
  readonly kind: "Service";
  readonly type: "NodePort" | "LoadBalancer";
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePortModel[];
  /** A client comes to the same pod again. */
  readonly affinity: boolean;
  /** Pods that are not ready count, too. */
  readonly notReady: boolean;
  /** Absent: both. */
  readonly family?: "IPv4" | "IPv6";
  /** Further addresses of the host. */
  readonly externalIPs: readonly string[];
  /** The load balancer's address; empty: every one. */
  readonly address: string;
  /** Ranges of clients' addresses; empty: everybody. */
  readonly allow: readonly string[];
}

/** All objects of one apply. Names are unique per kind; references between them are checked in plan/, where installed objects are known. */
export interface Model {
  readonly pods: readonly PodModel[];
  readonly configMaps: readonly ConfigMapModel[];
  readonly secrets: readonly SecretModel[];
  readonly claims: readonly ClaimModel[];
  /** Absent: none. */
  readonly workloads?: readonly WorkloadModel[];
  /** Absent: none. */
  readonly accounts?: readonly ServiceAccountModel[];
  /** Names of Namespaces, which hold nothing here; absent: none. */
  readonly namespaces?: readonly string[];
  readonly services: readonly ServiceModel[];
  /** Absent: none. */
  readonly jobs?: readonly JobModel[];
  /** Absent: none. */
  readonly crons?: readonly CronModel[];
}
