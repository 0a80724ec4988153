// Every kind with a table, taken or not: what explain, the man page and the JSON schema go through. Loaded by those alone.
import type { ObjectType } from "../../spec/schema.js";
import { CRON_JOB } from "./fields/cron.js";
import { NAMESPACE, SERVICE, SERVICE_ACCOUNT } from "./fields/network.js";
import { CLAIM_OBJECT } from "./fields/volume.js";
import { DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET } from "./fields/workloads.js";
import { KINDS, OTHER_KINDS, versionOf } from "./kinds.js";

export interface KnownKind {
  readonly name: string;
  readonly apiVersion: string;
  readonly type: ObjectType;
  /** What to do instead, where podgen does not take the kind. */
  readonly refused?: string;
  /** What kubectl's users type for it, beside the name and its plural. */
  readonly short?: string;
}

const TABLES: readonly (readonly [name: string, type: ObjectType])[] = [
  ["Deployment", DEPLOYMENT],
  ["StatefulSet", STATEFUL_SET],
  ["DaemonSet", DAEMON_SET],
  ["ReplicaSet", REPLICA_SET],
  ["ReplicationController", REPLICATION_CONTROLLER],
  ["Job", JOB],
  ["CronJob", CRON_JOB],
  ["Service", SERVICE],
  ["PersistentVolumeClaim", CLAIM_OBJECT],
  ["Namespace", NAMESPACE],
  ["ServiceAccount", SERVICE_ACCOUNT],
];

const SHORT: Readonly<Record<string, string>> = {
  Pod: "po",
  ConfigMap: "cm",
  Deployment: "deploy",
  StatefulSet: "sts",
  DaemonSet: "ds",
  ReplicaSet: "rs",
  ReplicationController: "rc",
  CronJob: "cj",
  Service: "svc",
  PersistentVolumeClaim: "pvc",
  Namespace: "ns",
  ServiceAccount: "sa",
};

function known(name: string, type: ObjectType): KnownKind {
  const refused = KINDS.has(name) ? undefined : (OTHER_KINDS.get(name) ?? "remove it");
  const short = SHORT[name];
  return {
    name,
    apiVersion: versionOf(name),
    type,
    ...(refused === undefined ? {} : { refused }),
    ...(short === undefined ? {} : { short }),
  };
}

/** Those that are taken first. A kind that is taken and has a row above is there once. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  ...[...KINDS].filter(([name]) => !TABLES.some((row) => row[0] === name)).map(([name, type]) => known(name, type)),
  ...TABLES.map((row) => known(...row)),
];
