// The kinds podgen takes, and those it only knows.
import type { ObjectType } from "../../spec/schema.js";
import { CONFIG_MAP_OBJECT, LIST_OBJECT, SECRET_OBJECT } from "./fields/config.js";
import { CRON_JOB } from "./fields/cron.js";
import { NAMESPACE, SERVICE, SERVICE_ACCOUNT } from "./fields/network.js";
import { POD } from "./fields/pod.js";
import { CLAIM_OBJECT } from "./fields/volume.js";
import { DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET } from "./fields/workloads.js";

/** Kind -> its fields. */
export const KINDS: ReadonlyMap<string, ObjectType> = new Map([
  ["Pod", POD],
  ["ConfigMap", CONFIG_MAP_OBJECT],
  ["Secret", SECRET_OBJECT],
  ["PersistentVolumeClaim", CLAIM_OBJECT],
  ["Service", SERVICE],
  ["List", LIST_OBJECT],
  ["Deployment", DEPLOYMENT],
  ["StatefulSet", STATEFUL_SET],
  ["DaemonSet", DAEMON_SET],
  ["ReplicaSet", REPLICA_SET],
  ["ReplicationController", REPLICATION_CONTROLLER],
  ["Job", JOB],
  ["CronJob", CRON_JOB],
  ["ServiceAccount", SERVICE_ACCOUNT],
  ["Namespace", NAMESPACE],
]);

/** The kind whose objects a typed list has, Pod of a PodList: what the API answers with. Undefined for any other word. */
export function listedKind(kind: string): string | undefined {
  const listed = kind.replace(/List$/, "");
  return listed !== kind && listed !== "List" && KINDS.has(listed) ? listed : undefined;
}

/** Of the kinds that are not of the group without a name, whose version is v1. */
const VERSIONS: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
};

/** The apiVersion that a kind is written with. */
export function versionOf(kind: string): string {
  return Object.hasOwn(VERSIONS, kind) ? (VERSIONS[kind] ?? "v1") : "v1";
}

/** A kind that is taken and left alone. */
interface Inert {
  /** Its apiVersion's group: another one's kind of this name is another thing. */
  readonly group: string;
  readonly why: string;
}

const ACCESS: Inert = { group: "rbac.authorization.k8s.io", why: "there is no API server to which it could open or close a way" };

/** Kinds of Kubernetes that say nothing on one machine; their fields are not looked at. Charts are full of them. */
export const INERT_KINDS: ReadonlyMap<string, Inert> = new Map([
  ["ClusterRole", ACCESS],
  ["ClusterRoleBinding", ACCESS],
  ["PodDisruptionBudget", { group: "policy", why: "nobody drains a machine that is the only one" }],
  ["PriorityClass", { group: "scheduling.k8s.io", why: "pods do not compete for a machine" }],
  ["Role", ACCESS],
  ["RoleBinding", ACCESS],
]);

/** Kinds of Kubernetes that are refused by name: kind -> why, with what to do. */
export const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ...[
    "CustomResourceDefinition",
    "Endpoints",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "LimitRange",
    "NetworkPolicy",
    "Node",
    "PersistentVolume",
    "PodTemplate",
    "ResourceQuota",
    "RuntimeClass",
    "StorageClass",
  ].map((k) => [k, "remove it"] as const),
]);
