// Fields of the kinds that keep pods (apps/v1, batch/v1).
import { type Field, type Fields, list, map, object } from "../../../spec/schema.js";
import { dnsLabel } from "../formats.js";
import { indexes } from "../job/indexes.js";
import { share } from "../workload/share.js";
import { METADATA, STATUS, TEMPLATE_METADATA } from "./metadata.js";
import { POD_SPEC } from "./pod.js";
import { LABEL_SELECTOR } from "./selectors.js";
import { CLAIM_OF_SET } from "./volume.js";

export const COUNT: Field = { type: "integer", min: 0, max: 2147483647 };
const SHARE: Field = { type: "integerOrString", form: "a number of pods or a percentage", check: share };

const TEMPLATE = object("PodTemplateSpec", { metadata: { type: TEMPLATE_METADATA }, spec: { type: POD_SPEC, required: true } });

export const OBJECT: Fields = {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: METADATA, required: true },
};

const REPLICAS =
  "Default 1, at most 1000. Pods are named NAME-0, NAME-1, and so on; with 0 there are none. A pod with a hostPort can be one only.";
const DEADLINE =
  "Each step of a rollout has so long (without it, as long as apply's --timeout says); one that takes longer fails, and all pods of the workload go back.";

/** What the kinds with replicas share. */
const COMMON: Fields = {
  selector: { type: LABEL_SELECTOR, required: true },
  template: { type: TEMPLATE, required: true },
  minReadySeconds: { ...COUNT, form: "seconds" },
  revisionHistoryLimit: { ...COUNT, note: "Beside the one that is installed; podgen-history(1)." },
};

const SURGE_NOTE =
  "Where maxUnavailable is 0, so many pods of the next numbers are made first, and go when the others are replaced, each in its place. A pod of which there can be one only (it has a port of the host, ids of its own, a claim of ReadWriteOncePod) is replaced without, which apply says.";
const ROLLING_DEPLOYMENT = object("RollingUpdateDeployment", { maxSurge: { ...SHARE, note: SURGE_NOTE }, maxUnavailable: SHARE });
const STRATEGY = object("DeploymentStrategy", {
  type: { type: "string", values: ["RollingUpdate", "Recreate"] },
  rollingUpdate: { type: ROLLING_DEPLOYMENT },
});

export const DEPLOYMENT = object("Deployment", {
  ...OBJECT,
  spec: {
    type: object("DeploymentSpec", {
      replicas: { ...COUNT, note: REPLICAS },
      ...COMMON,
      strategy: { type: STRATEGY },
      paused: {
        type: "boolean",
        note: "Pods that are there stay as they are, and each apply says so; replicas still counts, unless new pods would be of a changed template. A Deployment that is paused from the beginning makes no pods.",
      },
      progressDeadlineSeconds: { ...COUNT, form: "seconds", note: DEADLINE },
    }),
    required: true,
  },
  status: STATUS,
});

export const REPLICA_SET = object("ReplicaSet", {
  ...OBJECT,
  spec: {
    type: object("ReplicaSetSpec", {
      replicas: COUNT,
      minReadySeconds: { ...COUNT, form: "seconds" },
      selector: { type: LABEL_SELECTOR, required: true },
      template: { type: TEMPLATE, required: true },
    }),
    required: true,
  },
  status: STATUS,
});

/** What ReplicaSets were before apps/v1: its selector is plain labels, the template's own where there are none. */
export const REPLICATION_CONTROLLER = object("ReplicationController", {
  ...OBJECT,
  spec: {
    type: object("ReplicationControllerSpec", {
      replicas: COUNT,
      minReadySeconds: { ...COUNT, form: "seconds" },
      selector: { type: map("string") },
      template: { type: TEMPLATE, required: true },
    }),
    required: true,
  },
  status: STATUS,
});

const SET_UPDATE: Fields = { type: { type: "string", values: ["RollingUpdate", "OnDelete"] } };
const ROLLING_SET = object("RollingUpdateStatefulSetStrategy", {
  partition: COUNT,
  maxUnavailable: { ...SHARE, since: "1.24" },
});
const RETENTION: Field = {
  type: "string",
  refused: "podgen removes a volume only when somebody names it",
  fine: ["Retain"],
  hint: "write Retain, or leave it out",
};

export const STATEFUL_SET = object("StatefulSet", {
  ...OBJECT,
  spec: {
    type: object("StatefulSetSpec", {
      replicas: COUNT,
      serviceName: { type: "string", check: dnsLabel },
      ...COMMON,
      podManagementPolicy: { type: "string", values: ["OrderedReady", "Parallel"] },
      updateStrategy: { type: object("StatefulSetUpdateStrategy", { ...SET_UPDATE, rollingUpdate: { type: ROLLING_SET } }) },
      volumeClaimTemplates: { type: list(CLAIM_OF_SET) },
      persistentVolumeClaimRetentionPolicy: {
        type: object("StatefulSetPersistentVolumeClaimRetentionPolicy", { whenDeleted: RETENTION, whenScaled: RETENTION }),
        since: "1.27",
      },
      ordinals: { type: object("StatefulSetOrdinals", { start: COUNT }), since: "1.27" },
    }),
    required: true,
  },
  status: STATUS,
});

const ROLLING_DAEMONS = object("RollingUpdateDaemonSet", { maxSurge: SHARE, maxUnavailable: SHARE });

export const DAEMON_SET = object("DaemonSet", {
  ...OBJECT,
  spec: {
    type: object("DaemonSetSpec", {
      ...COMMON,
      updateStrategy: { type: object("DaemonSetUpdateStrategy", { ...SET_UPDATE, rollingUpdate: { type: ROLLING_DAEMONS } }) },
    }),
    required: true,
  },
  status: STATUS,
});

const FAILURE_RULE = object("PodFailurePolicyRule", {
  action: { type: "string", required: true, values: ["FailJob", "FailIndex", "Ignore", "Count"] },
  onExitCodes: {
    type: object("PodFailurePolicyOnExitCodesRequirement", {
      containerName: { type: "string" },
      operator: { type: "string", required: true, values: ["In", "NotIn"] },
      values: { type: list({ type: "integer", min: 0, max: 255 }), required: true },
    }),
  },
  onPodConditions: {
    type: list(
      object("PodFailurePolicyOnPodConditionsPattern", {
        type: {
          type: "string",
          required: true,
          note: "DisruptionTarget: somebody else than the Job stopped the pod. Pods have no other here.",
        },
        status: { type: "string", values: ["True", "False", "Unknown"] },
      }),
    ),
  },
});
const SUCCESS_RULE = object("SuccessPolicyRule", {
  succeededCount: { ...COUNT, min: 1 },
  succeededIndexes: { type: "string", form: "indexes: 0,3-5", check: indexes },
});

const SLOTS =
  "Pods are named NAME-0 to as many as run at once, and used again, fresh, for the next attempt; of completionMode Indexed there is one for each number, at most 1000.";
const BACKOFF =
  "After 10 seconds, 20, and so on up to 6 minutes a failed pod is tried again. With restartPolicy OnFailure restarts of its containers count, and wait as of any pod.";
const TTL = "Its pods' folders go then, and status shows it no more; the next apply of it is another run.";

export const JOB_SPEC = object("JobSpec", {
  template: { type: TEMPLATE, required: true },
  completions: { ...COUNT, note: SLOTS },
  parallelism: { ...COUNT, note: "0: no pod is started until it is more." },
  completionMode: { type: "string", values: ["NonIndexed", "Indexed"] },
  backoffLimit: { ...COUNT, note: BACKOFF },
  backoffLimitPerIndex: { ...COUNT, since: "1.28" },
  maxFailedIndexes: { ...COUNT, since: "1.28" },
  activeDeadlineSeconds: { ...COUNT, min: 1, form: "seconds" },
  ttlSecondsAfterFinished: { ...COUNT, form: "seconds", note: TTL },
  podFailurePolicy: { type: object("PodFailurePolicy", { rules: { type: list(FAILURE_RULE), required: true } }), since: "1.25" },
  successPolicy: {
    type: object("SuccessPolicy", { rules: { type: list(SUCCESS_RULE, { nonEmpty: true }), required: true } }),
    since: "1.30",
  },
  podReplacementPolicy: {
    type: "string",
    values: ["TerminatingOrFailed", "Failed"],
    since: "1.28",
    note: "A pod is started again under its own name, with either value when it has ended.",
  },
  suspend: { type: "boolean", note: "Pods that run are stopped, and do not count as failed." },
  selector: { type: LABEL_SELECTOR, note: "It has to select the template's pods; podgen knows them without." },
  manualSelector: { type: "boolean", note: "With true, selector must be there." },
  managedBy: {
    type: "string",
    since: "1.30",
    refused: "no other controller runs here",
    fine: ["kubernetes.io/job-controller"],
  },
});

export const JOB = object("Job", { ...OBJECT, spec: { type: JOB_SPEC, required: true }, status: STATUS });
