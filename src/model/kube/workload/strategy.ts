// Strategies of the apps/v1 kinds, as one RolloutWish: Kubernetes' defaults, its rounding, and what it refuses.
import type { RolloutWish } from "../../../base/rollout.js";
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import type { WorkloadKind } from "../../types.js";
import { pods, readShare, type Share } from "./share.js";

/** What a strategy's rules are given. */
export interface Strategic {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly spec: Reader | undefined;
  readonly report: Report;
  readonly replicas: number;
}

const ON_DELETE = "its updateStrategy is OnDelete: podgen delete POD, then apply, makes one anew";
const keeps = (kind: string): Partial<RolloutWish> => ({
  how: "keep",
  kept: `a ${kind} never replaces pods: podgen delete POD, then apply, makes one anew; a Deployment replaces them`,
});

/** How the workload's pods are replaced. */
export function readStrategy(of: Strategic): RolloutWish {
  const { kind, name, spec, report } = of;
  const seconds = (field: string): number | undefined => spec?.integer(field);
  const progress = seconds("progressDeadlineSeconds");
  const minReady = seconds("minReadySeconds") ?? 0;
  // A ReplicationController has none.
  const limit = kind === "ReplicationController" || kind === "ReplicaSet" ? undefined : spec?.integer("revisionHistoryLimit");
  if (spec !== undefined && progress !== undefined && progress <= minReady) {
    const field = "progressDeadlineSeconds";
    report.error("bad-value", spec.place(field), spec.pathOf(field), `must be more than minReadySeconds (${minReady})`);
  }
  return {
    kind,
    name,
    how: "rolling",
    paused: kind === "Deployment" && spec?.flag("paused") === true,
    maxUnavailable: 1,
    maxSurge: 0,
    partition: 0,
    ordered: false,
    downwards: false,
    minReadySeconds: minReady,
    ...(progress === undefined ? {} : { progressDeadlineSeconds: progress }),
    ...(limit === undefined ? {} : { revisionHistoryLimit: limit }),
    ...OF_KIND[kind](of),
  };
}

const OF_KIND: Readonly<Record<WorkloadKind, (of: Strategic) => Partial<RolloutWish>>> = {
  Deployment: deployment,
  ReplicaSet: () => keeps("ReplicaSet"),
  ReplicationController: () => keeps("ReplicationController"),
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
};

/** 25% each by default; what may be beyond is rounded up, what may be missing down; not both nothing. */
function deployment({ spec, report, replicas }: Strategic): Partial<RolloutWish> {
  const strategy = spec?.object("strategy");
  const rolling = strategy?.object("rollingUpdate");
  if (strategy?.text("type") === "Recreate") {
    onlyRolling(strategy, report, "Recreate");
    return { how: "recreate" };
  }
  const [surge, unavailable] = [readShare(rolling, "maxSurge", "25%"), readShare(rolling, "maxUnavailable", "25%")];
  checkUnavailable(rolling, report, surge, unavailable);
  const maxSurge = pods(surge, replicas, "up");
  const missing = Math.min(pods(unavailable, replicas, "down"), replicas);
  return { maxSurge, maxUnavailable: maxSurge === 0 && missing === 0 ? 1 : missing };
}

/** One by one from the highest number; what maxUnavailable says is rounded down to one at least. */
function statefulSet({ spec, report, replicas }: Strategic): Partial<RolloutWish> {
  const strategy = spec?.object("updateStrategy");
  const rolling = strategy?.object("rollingUpdate");
  const ordered = spec?.text("podManagementPolicy") !== "Parallel";
  if (strategy?.text("type") === "OnDelete") {
    onlyRolling(strategy, report, "OnDelete");
    return { how: "keep", kept: ON_DELETE, ordered, downwards: true };
  }
  const unavailable = readShare(rolling, "maxUnavailable", "1");
  checkUnavailable(rolling, report, { amount: 0, percent: false }, unavailable);
  return {
    maxUnavailable: Math.max(1, pods(unavailable, replicas, "down")),
    partition: rolling?.integer("partition") ?? 0,
    ordered,
    downwards: true,
  };
}

/** There is one pod; both numbers are rounded up, and one of them must be 0. */
function daemonSet({ spec, report, replicas }: Strategic): Partial<RolloutWish> {
  const strategy = spec?.object("updateStrategy");
  const rolling = strategy?.object("rollingUpdate");
  if (strategy?.text("type") === "OnDelete") {
    onlyRolling(strategy, report, "OnDelete");
    return { how: "keep", kept: ON_DELETE };
  }
  const [surge, unavailable] = [readShare(rolling, "maxSurge", "0"), readShare(rolling, "maxUnavailable", "1")];
  checkUnavailable(rolling, report, surge, unavailable);
  if (rolling !== undefined && surge.amount > 0 && unavailable.amount > 0)
    report.error(
      "bad-value",
      rolling.keyPlace("maxSurge"),
      rolling.pathOf("maxSurge"),
      "must be 0 unless maxUnavailable is",
      "write maxUnavailable: 0",
    );
  return { maxSurge: pods(surge, replicas, "up"), maxUnavailable: pods(unavailable, replicas, "up") };
}

function onlyRolling(strategy: Reader, report: Report, type: string): void {
  if (strategy.get("rollingUpdate") === undefined) return;
  report.error(
    "bad-value",
    strategy.keyPlace("rollingUpdate"),
    strategy.pathOf("rollingUpdate"),
    `says nothing where type is ${type}`,
    "remove it, or write type: RollingUpdate",
  );
}

function checkUnavailable(rolling: Reader | undefined, report: Report, surge: Share, unavailable: Share): void {
  if (rolling === undefined) return;
  const error = (problem: string): void =>
    report.error("bad-value", rolling.place("maxUnavailable"), rolling.pathOf("maxUnavailable"), problem);
  if (unavailable.percent && unavailable.amount > 100) error("more than 100% cannot be missing");
  if (surge.amount === 0 && unavailable.amount === 0)
    error("may not be 0: no pod could be replaced without one more, and maxSurge allows none");
}
