// The ChangeSet: the smallest set of actions from installed to rendered. Made by diff/, carried out by apply/.
import type { ManifestPod, OwnedObject } from "../base/installed.js";
import type { FileKind } from "../render/types.js";

export interface FileChange {
  readonly path: string;
  readonly action: "create" | "update" | "remove";
  readonly kind: FileKind;
  readonly secret: boolean;
  readonly mode: number;
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
}

/**
 * unchanged: nothing; reload: daemon-reload is enough; start: it should run and does not; restart: its own content
 * moved, or that of one it depends on; create: did not exist; remove: no longer wanted.
 */
export type Verdict = "unchanged" | "reload" | "start" | "restart" | "create" | "remove";

export interface UnitChange {
  readonly unit: string;
  readonly role: string;
  readonly container?: string;
  readonly sidecar?: true;
  readonly verdict: Verdict;
  /** Why, for people: `image sha256:ab12… -> sha256:cd34…`, `bundle changed: env TAG`, `not running`. */
  readonly reasons: readonly string[];
  /** The unit with which systemd restarts it by itself: there is nothing to be done then. */
  readonly along?: string;
  /** Of a reload: files of its volumes are exchanged while it runs. */
  readonly refresh?: true;
  /** Of a start: it would run another content than when it ended. */
  readonly renewed?: true;
  /** Of a restart: its own content is another. */
  readonly recreate?: true;
}

export interface PodChange {
  readonly name: string;
  readonly verdict: "created" | "configured" | "started" | "unchanged" | "deleted";
  readonly files: readonly FileChange[];
  readonly units: readonly UnitChange[];
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  /** Folders to remove (of a deleted pod). */
  readonly folders: readonly string[];
  /** Seconds that its probes may take until it is ready; absent: it has none that say so. */
  readonly patience?: number;
  /** Files that what is started writes itself, put back as they were where the change fails; absent: none. */
  readonly kept?: readonly { readonly path: string; readonly bytes: Uint8Array; readonly mode: number }[];
  /** What the manifest says when this is done; absent when the pod goes. */
  readonly manifest?: ManifestPod;
}

/** What is done together; the next step begins when all of it is ready. Names of pods. */
export interface RolloutStep {
  /** They end first. */
  readonly stop: readonly string[];
  readonly up: readonly string[];
  /** They go. */
  readonly remove: readonly string[];
}

/** A pod that is there during a rollout. */
export interface SurgePod {
  readonly change: PodChange;
  readonly removal: PodChange;
}

/** The changes of a workload's pods, in their order. All of them, or none when one fails. */
export interface Rollout {
  /** `deployment/web` */
  readonly name: string;
  readonly steps: readonly RolloutStep[];
  /** The pods of the change set that it has to do with. */
  readonly pods: readonly string[];
  /** Pods that are there meanwhile: not in the change set. */
  readonly surge: readonly SurgePod[];
  /** Seconds for which pods must have been ready before the next step. */
  readonly minReadySeconds: number;
  /** Seconds that a step may take; absent: as long as a pod may. */
  readonly progressDeadlineSeconds?: number;
  readonly notes: readonly string[];
}

export interface ChangeSet {
  readonly pods: readonly PodChange[];
  readonly shared: readonly FileChange[];
  /** Of workloads whose pods change; absent: none. */
  readonly rollouts?: readonly Rollout[];
  /** What people should know of it, a line each; absent: nothing. */
  readonly notes?: readonly string[];
  /** What the manifest says of objects when this is done. */
  readonly objects: Readonly<Record<string, OwnedObject>>;
  /** Objects that go, as `Secret/login`. */
  readonly forgotten: readonly string[];
  /** Objects that come from another source than the manifest says, or than it says anything of. */
  readonly resourced: readonly string[];
  /** True when a unit file changes, so that a daemon-reload is due. */
  readonly reload: boolean;
  /** True when nothing at all is to be done. */
  readonly empty: boolean;
}
