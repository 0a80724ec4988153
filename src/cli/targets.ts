// Pods, workloads and containers as people name them: `web`, `web/app`, `deployment/web`; and the pods that are meant.

import { cronKey } from "../base/cron.js";
import type { Manifest, ManifestPod } from "../base/installed.js";
import { jobKey } from "../base/job.js";
import { isPodKey, shownKey } from "../base/service.js";
import { UserError } from "./exit.js";

/** As it was typed. */
export interface Target {
  /** A pod's name, or a workload's. */
  readonly pod: string;
  readonly container?: string;
  /** The workload's kind, where one was typed. */
  readonly kind?: string;
}

/** What kubectl's users type, in the singular and without a group. */
const KINDS: Readonly<Record<string, string>> = {
  deployment: "Deployment",
  deploy: "Deployment",
  statefulset: "StatefulSet",
  sts: "StatefulSet",
  daemonset: "DaemonSet",
  ds: "DaemonSet",
  replicaset: "ReplicaSet",
  rs: "ReplicaSet",
  replicationcontroller: "ReplicationController",
  rc: "ReplicationController",
  job: "Job",
  cronjob: "CronJob",
  cron: "CronJob",
  cj: "CronJob",
};

/** `deployments.apps` too; undefined for what is no kind of workload. */
function kindOf(word: string): string | undefined {
  const plain = word.toLowerCase().replace(/\.(apps|batch)$/, "");
  const singular = Object.hasOwn(KINDS, plain) ? plain : plain.replace(/s$/, "");
  return Object.hasOwn(KINDS, singular) ? KINDS[singular] : undefined;
}

/** A kind in front is a kind, also where a pod has its name: `pod/deploy/web` is container web of pod deploy. */
export function parseTarget(word: string): Target {
  const [first = "", ...rest] = word.split("/");
  const kind = rest.length === 0 ? undefined : kindOf(first);
  const plain = rest.length > 0 && /^pods?$/.test(first);
  const [pod = "", container, ...more] = kind !== undefined || plain ? rest : [first, ...rest];
  if (pod === "" || container === "" || more.length > 0) throw new UserError(`${word}: name a POD, POD/CONTAINER or KIND/NAME`, 64);
  return { pod, ...(container === undefined ? {} : { container }), ...(kind === undefined ? {} : { kind }) };
}

/** A target without its container, as it would be typed. */
export function wholePod({ pod, kind }: Target): string {
  return `${kind ?? "pod"}/${pod}`;
}

/** One pod, of those installed, or one of its containers. */
export interface PodTarget {
  readonly pod: string;
  readonly container?: string;
}

/** The pods that are meant: the one of that name, else all of the workload, by their numbers. None is an error that lists what there is. */
export function podsOf(manifest: Manifest, { pod, container, kind }: Target): PodTarget[] {
  const exact = kind === undefined && manifest.pods[pod] !== undefined;
  const owned = exact ? [] : ownedBy(manifest, pod, kind);
  if (!exact && owned.length === 0) throw notThere(manifest, pod, kind);
  const names = exact ? [pod] : owned.map((p) => p.name);
  return names.map((name) => (container === undefined ? { pod: name } : { pod: name, container }));
}

/** `pi` of `job/pi` and of `jobs.batch/pi`, where there is such a Job; undefined for other words. */
export function jobName(manifest: Manifest, word: string): string | undefined {
  const [first = "", name = "", ...more] = word.split("/");
  return kindOf(first) === "Job" && more.length === 0 && manifest.pods[jobKey(name)] !== undefined ? name : undefined;
}

/** `nightly` of `cronjob/nightly`, where there is such a CronJob. */
export function cronName(manifest: Manifest, word: string): string | undefined {
  const [first = "", name = "", ...more] = word.split("/");
  return kindOf(first) === "CronJob" && more.length === 0 && manifest.pods[cronKey(name)] !== undefined ? name : undefined;
}

/** The pods of workloads of that name, of any kind where none is said. */
export function ownedBy(manifest: Manifest, name: string, kind: string | undefined): ManifestPod[] {
  const runs = kind === undefined || kind === "CronJob" ? (manifest.pods[cronKey(name)]?.cron?.jobs ?? []) : [];
  return Object.values(manifest.pods)
    .filter(
      ({ owner }) =>
        (owner?.name === name && (kind === undefined || owner.kind === kind)) || (owner?.kind === "Job" && runs.includes(owner.name)),
    )
    .sort((a, b) => (a.owner?.index ?? 0) - (b.owner?.index ?? 0));
}

function notThere(manifest: Manifest, name: string, kind: string | undefined): UserError {
  if (!isPodKey(name)) return new UserError(`there is no ${shownKey(name)}`);
  const what = kind === undefined ? "pod" : kind.toLowerCase();
  const pods = Object.values(manifest.pods).filter((p) => isPodKey(p.name));
  const all = kind === undefined ? pods.map((p) => p.name) : pods.flatMap(({ owner }) => (owner?.kind === kind ? [owner.name] : []));
  const names = [...new Set(all)].sort();
  const none = kind === undefined ? "podgen has applied no pods yet" : `podgen has applied no ${what} with pods`;
  return new UserError(`there is no ${what} "${name}"`, 1, names.length === 0 ? none : `${what}s: ${names.join(", ")}`);
}
