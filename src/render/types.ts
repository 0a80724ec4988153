// Rendered bytes. Made by render/, compared by diff/.

import type { CronRecord } from "../base/cron.js";
import type { JobRecord } from "../base/job.js";
import type { OwnerRef } from "../base/owner.js";
import type { PodEdge } from "../base/pod-order.js";
import type { RolloutWish } from "../base/rollout.js";
import type { ServedPod, ServiceRecord } from "../base/service.js";
import type { UsernsMaps } from "../base/userns.js";

export type FileKind = "unit" | "bundle" | "data" | "object";

export interface RenderedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly kind: FileKind;
  /** Never shown, only its digest's prefix. */
  readonly secret: boolean;
}

/** A unit and what its definition rests on, so that diff can say which units a changed file restarts. */
export interface RenderedUnit {
  readonly name: string;
  readonly role:
    | "pod"
    | "infra"
    | "uplink"
    | "init"
    | "container"
    | "probe"
    | "socket"
    | "forward"
    | "balance"
    | "timer"
    | "deadline"
    | "gate"
    | "slice"
    | "job"
    | "schedule"
    | "cron"
    | "pause";
  /** Container name for init and container; `_infra` for infra. */
  readonly container?: string;
  /** A container that is beside those the pod is for. */
  readonly sidecar?: true;
  /** Value of io.podgen.digest in its bundle: what the running one is compared with. Infra, init and containers only. */
  readonly digest?: string;
  /** Of the files that are updated while the container runs; absent: it has none. */
  readonly liveFiles?: string;
  /** Units that it requires, beside what its role says: with a restart of one of them systemd restarts it too. */
  readonly requires?: readonly string[];
  /** The unit file and, for containers, the bundle. */
  readonly files: readonly string[];
}

export interface RenderedPod {
  readonly name: string;
  readonly source: string;
  /** The workload that makes it. */
  readonly owner?: OwnerRef;
  readonly files: readonly RenderedFile[];
  readonly units: readonly RenderedUnit[];
  /** Units to enable. */
  readonly enable: readonly string[];
  readonly images: Readonly<Record<string, { readonly reference: string; readonly digest: string }>>;
  /** The same of volumes that are images; absent: none. */
  readonly volumeImages?: RenderedPod["images"];
  readonly folders: readonly string[];
  /** Seconds that its probes may take until it is ready; absent: it has none that say so. */
  readonly patience?: number;
  /** Its own ids, where it has some. */
  readonly userns?: UsernsMaps;
  /** The layers it needs shifted by them: diff_id -> name in the store. */
  readonly shifted: ReadonlyMap<string, string>;
  readonly objects: readonly string[];
  /** What Services go by; absent: it has no labels. */
  readonly serve?: ServedPod;
  /** Of a Service. */
  readonly service?: ServiceRecord;
  /** Of a Job. */
  readonly job?: JobRecord;
  /** Of a CronJob. */
  readonly cron?: CronRecord;
  /** A Service that this apply does not name: its pods are others now. */
  readonly along?: true;
  /** Pods that it waits for; absent: none. */
  readonly after?: readonly PodEdge[];
}

/** A workload: how its pods are replaced. */
export interface RenderedWorkload {
  readonly rollout: RolloutWish;
  /** Names of its pods, by their numbers; they are among the rendered ones. */
  readonly pods: readonly string[];
  /** Pods that may stand in meanwhile; they are not. */
  readonly surge: readonly RenderedPod[];
}

export interface Rendered {
  /** Services and Jobs too, after the pods. */
  readonly pods: readonly RenderedPod[];
  /** Absent: none. */
  readonly workloads?: readonly RenderedWorkload[];
  /** podgen-pause.service, and the objects; owned by all pods together. */
  readonly shared: readonly RenderedFile[];
  /** `ConfigMap/name` -> its file, of `shared` files of kind object, and what it comes from (as of a pod). */
  readonly objects: Readonly<Record<string, { readonly path: string; readonly source: string }>>;
}
