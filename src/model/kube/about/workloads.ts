// Meanings of the fields of the kinds that keep pods.
import type { About } from "./index.js";

const SURGE: About = {
  maxSurge: "How many pods may be there beyond replicas while they are replaced, rounded up; default 25%, of a DaemonSet 0",
  maxUnavailable: "How many may be missing meanwhile, rounded down; default 25%, of a DaemonSet 1",
};
const UPDATE: About = {
  type: "RollingUpdate, or OnDelete: a pod that is there stays as it is until somebody deletes it and applies again",
  rollingUpdate: "How they are replaced",
};

const KEPT_PODS =
  "How many pods are to run; those that are there are never replaced when the template changes, as in Kubernetes: a Deployment does that";

export const WORKLOADS: Readonly<Record<string, About>> = {
  PodTemplateSpec: { metadata: "Labels and annotations of the pods", spec: "The pods" },
  DeploymentSpec: {
    strategy: "How old pods are replaced",
    paused: "Whether changes of the template wait",
    progressDeadlineSeconds: "How long a rollout may take without progress",
  },
  DeploymentStrategy: { type: "RollingUpdate, or Recreate: all old ones end first", rollingUpdate: "How they are replaced" },
  RollingUpdateDeployment: SURGE,
  ReplicaSetSpec: { replicas: KEPT_PODS },
  ReplicationControllerSpec: { replicas: KEPT_PODS, selector: "Labels that its pods must have; default those of the template" },
  StatefulSetSpec: {
    serviceName: "The subdomain in the pods' host names",
    podManagementPolicy:
      "OrderedReady, the default: a pod starts when the one before it is ready, at boot too, and goes before it; or Parallel: all at once",
    updateStrategy: "How old pods are replaced, the one with the highest number first",
    volumeClaimTemplates: "Claims of which each pod gets its own, named TEMPLATE-NAME-NUMBER; they stay when it goes",
    persistentVolumeClaimRetentionPolicy: "Whether claims go with the set",
    ordinals: "How the pods are numbered",
  },
  StatefulSetUpdateStrategy: UPDATE,
  RollingUpdateStatefulSetStrategy: {
    partition: "Only pods of this number and above are replaced; default 0",
    maxUnavailable: "How many may be missing meanwhile, rounded down to 1 at least; default 1",
  },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    whenDeleted: "What becomes of claims when the set is deleted; default Retain",
    whenScaled: "What becomes of claims of pods that go; default Retain",
  },
  StatefulSetOrdinals: { start: "The first pod's number" },
  DaemonSetSpec: { updateStrategy: "How its pod, NAME-0, is replaced: a machine is one node" },
  DaemonSetUpdateStrategy: UPDATE,
  RollingUpdateDaemonSet: SURGE,
  JobSpec: {
    completions: "How many pods must succeed; default 1, and without it beside parallelism: one, and then all others have to end",
    parallelism: "How many run at once; default 1",
    completionMode: "Indexed: each pod has a number",
    backoffLimit: "How many failures are too many; default 6",
    backoffLimitPerIndex: "How many failures of one number are too many",
    maxFailedIndexes: "How many numbers may fail",
    activeDeadlineSeconds: "How long the job may take",
    ttlSecondsAfterFinished: "How long after its end it is kept; default: until it is deleted",
    podFailurePolicy: "What a failed pod means, by exit codes and conditions",
    successPolicy: "When the job has succeeded, before all pods have",
    podReplacementPolicy: "Whether a pod that is ending is replaced at once",
    suspend: "Whether it waits",
    manualSelector: "Whether selector is as written",
    managedBy: "Which controller runs the job",
  },
  PodFailurePolicy: { rules: "The first that fits counts" },
  PodFailurePolicyRule: {
    action:
      "FailJob: the Job has failed; FailIndex: this number has; Ignore: it is tried again, and does not count; Count: as without a rule",
    onExitCodes: "Exit codes for which it does",
    onPodConditions: "Conditions of the pod for which it does",
  },
  PodFailurePolicyOnPodConditionsPattern: { type: "The condition", status: "Whether it holds; default True" },
  PodFailurePolicyOnExitCodesRequirement: {
    containerName: "The container; default: any",
    operator: "Whether the code is one of values, or none",
    values: "Exit codes",
  },
  SuccessPolicy: { rules: "One of them is enough" },
  SuccessPolicyRule: { succeededCount: "How many must have succeeded", succeededIndexes: "Which must have: 1,3-5" },
  CronJobSpec: {
    schedule: "When runs begin",
    timeZone: "The time zone of schedule; default: the host's",
    concurrencyPolicy: "What happens when a run is due and others go on; default Allow",
    startingDeadlineSeconds: "How late a run may begin; default: however late",
    successfulJobsHistoryLimit: "How many that succeeded are kept; default 3",
    failedJobsHistoryLimit: "How many that failed are kept; default 1",
    suspend: "Whether nothing begins by the clock; what goes on goes on, and a run by hand begins all the same",
    jobTemplate: "The Job that each run is",
  },
  JobTemplateSpec: { metadata: "Labels and annotations of the jobs", spec: "The jobs" },
};
