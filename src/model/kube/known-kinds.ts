// Every kind with a table, taken or not: what explain, the man page and the JSON schema go through. Loaded by those alone.
import type { ObjectType } from "../../spec/schema.js";
import { NAMESPACE, SERVICE, SERVICE_ACCOUNT } from "./fields/network.js";
import { CLAIM_OBJECT } from "./fields/volume.js";
import { CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET } from "./fields/workloads.js";
import { KINDS, OTHER_KINDS } from "./kinds.js";

export interface KnownKind {
  readonly name: string;
  readonly apiVersion: string;
  readonly type: ObjectType;
  /** What to do instead, where podgen does not take the kind. */
  readonly refused?: string;
  /** What kubectl's users type for it, beside the name and its plural. */
  readonly short?: string;
}

const TABLES: readonly (readonly [name: string, apiVersion: string, type: ObjectType])[] = [
  ["Deployment", "apps/v1", DEPLOYMENT],
  ["StatefulSet", "apps/v1", STATEFUL_SET],
  ["DaemonSet", "apps/v1", DAEMON_SET],
  ["ReplicaSet", "apps/v1", REPLICA_SET],
  ["Job", "batch/v1", JOB],
  ["CronJob", "batch/v1", CRON_JOB],
  ["Service", "v1", SERVICE],
  ["PersistentVolumeClaim", "v1", CLAIM_OBJECT],
  ["Namespace", "v1", NAMESPACE],
  ["ServiceAccount", "v1", SERVICE_ACCOUNT],
];

const SHORT: Readonly<Record<string, string>> = {
  Pod: "po",
  ConfigMap: "cm",
  Deployment: "deploy",
  StatefulSet: "sts",
  DaemonSet: "ds",
  ReplicaSet: "rs",
  CronJob: "cj",
  Service: "svc",
  PersistentVolumeClaim: "pvc",
  Namespace: "ns",
  ServiceAccount: "sa",
};

function known(name: string, apiVersion: string, type: ObjectType): KnownKind {
  const refused = KINDS.has(name) ? undefined : (OTHER_KINDS.get(name) ?? "remove it");
  const short = SHORT[name];
  return { name, apiVersion, type, ...(refused === undefined ? {} : { refused }), ...(short === undefined ? {} : { short }) };
}

/** Those that are taken first. A kind that is taken and has a row above is there once, with the row's version. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  ...[...KINDS].filter(([name]) => !TABLES.some((row) => row[0] === name)).map(([name, type]) => known(name, "v1", type)),
  ...TABLES.map((row) => known(...row)),
];
