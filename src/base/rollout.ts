// How the pods of a workload are to be replaced, in numbers: decided by the model, turned into steps by diff.

/** What a workload's spec says of changes to its pods. */
export interface RolloutWish {
  /** `Deployment`, `StatefulSet`, … */
  readonly kind: string;
  readonly name: string;
  /** rolling: some at a time; recreate: all old ones end first; keep: pods that are there stay as they are. */
  readonly how: "rolling" | "recreate" | "keep";
  /** Why they stay, as a clause; beside `keep`. */
  readonly kept?: string;
  /** Nothing of the template is rolled out; pods still come and go with replicas. */
  readonly paused: boolean;
  /** How many pods may be missing meanwhile; 0 only beside surge pods. */
  readonly maxUnavailable: number;
  /** How many pods there may be beyond replicas meanwhile. */
  readonly maxSurge: number;
  /** Why there are no surge pods though maxSurge allows some, as a clause; absent: there may be. */
  readonly noSurge?: string;
  /** Pods of a number below this stay as they are; 0: all are replaced. */
  readonly partition: number;
  /** Pods start one after the other in the order of their numbers, and go in the other one. */
  readonly ordered: boolean;
  /** The highest number is replaced first. */
  readonly downwards: boolean;
  /** Seconds for which a pod must be ready before the next ones are replaced. */
  readonly minReadySeconds: number;
  /** Seconds that a step may take; absent: as long as a pod may at all. */
  readonly progressDeadlineSeconds?: number;
  /** How many old generations are kept; absent: as many as the settings say. */
  readonly revisionHistoryLimit?: number;
}
