// Meanings of the fields of the kinds that keep pods.
import type { About } from "./index.js";

const SURGE: About = {
  maxSurge: "How many pods may be there beyond replicas while they are replaced; default 25%",
  maxUnavailable: "How many may be missing meanwhile; default 25%",
};
const UPDATE: About = { type: "RollingUpdate, or OnDelete: when somebody deletes them", rollingUpdate: "How they are replaced" };

export const WORKLOADS: Readonly<Record<string, About>> = {
  PodTemplateSpec: { metadata: "Labels and annotations of the pods", spec: "The pods" },
  DeploymentSpec: {
    strategy: "How old pods are replaced",
    paused: "Whether changes wait",
    progressDeadlineSeconds: "How long a rollout may take without progress; default 600",
  },
  DeploymentStrategy: { type: "RollingUpdate, or Recreate: all old ones end first", rollingUpdate: "How they are replaced" },
  RollingUpdateDeployment: SURGE,
  StatefulSetSpec: {
    serviceName: "The Service that names the pods",
    podManagementPolicy: "Whether pods start one after the other",
    updateStrategy: "How old pods are replaced",
    volumeClaimTemplates: "Claims of which each pod gets its own",
    persistentVolumeClaimRetentionPolicy: "Whether claims go with the set",
    ordinals: "How the pods are numbered",
  },
  StatefulSetUpdateStrategy: UPDATE,
  RollingUpdateStatefulSetStrategy: {
    partition: "Only pods of this number and above are replaced",
    maxUnavailable: "How many may be missing meanwhile",
  },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    whenDeleted: "What becomes of claims when the set is deleted; default Retain",
    whenScaled: "What becomes of claims of pods that go; default Retain",
  },
  StatefulSetOrdinals: { start: "The first pod's number" },
  DaemonSetSpec: { updateStrategy: "How old pods are replaced" },
  DaemonSetUpdateStrategy: UPDATE,
  RollingUpdateDaemonSet: SURGE,
  JobSpec: {
    completions: "How many pods must succeed; default 1",
    parallelism: "How many run at once; default 1",
    completionMode: "Indexed: each pod has a number",
    backoffLimit: "How many failures are too many; default 6",
    backoffLimitPerIndex: "How many failures of one number are too many",
    maxFailedIndexes: "How many numbers may fail",
    activeDeadlineSeconds: "How long the job may take",
    ttlSecondsAfterFinished: "When it is removed after its end",
    podFailurePolicy: "What a failure means, by its exit code",
    successPolicy: "When the job has succeeded, before all pods have",
    podReplacementPolicy: "Whether a pod that is ending is replaced at once",
    suspend: "Whether it waits",
    manualSelector: "Whether selector is as written",
    managedBy: "Which controller runs the job",
  },
  PodFailurePolicy: { rules: "The first that fits counts" },
  PodFailurePolicyRule: {
    action: "What follows",
    onExitCodes: "Exit codes for which it does",
    onPodConditions: "Conditions of the pod for which it does",
  },
  PodFailurePolicyOnExitCodesRequirement: {
    containerName: "The container; default: any",
    operator: "Whether the code is one of values, or none",
    values: "Exit codes",
  },
  SuccessPolicy: { rules: "One of them is enough" },
  SuccessPolicyRule: { succeededCount: "How many must have succeeded", succeededIndexes: "Which must have: 1,3-5" },
  CronJobSpec: {
    schedule: "When the job runs",
    timeZone: "The time zone of schedule; default: the host's",
    concurrencyPolicy: "What happens when the last one still runs; default Allow",
    startingDeadlineSeconds: "How late it may begin",
    successfulJobsHistoryLimit: "How many that succeeded are kept; default 3",
    failedJobsHistoryLimit: "How many that failed are kept; default 1",
    suspend: "Whether it waits",
    jobTemplate: "The job",
  },
  JobTemplateSpec: { metadata: "Labels and annotations of the jobs", spec: "The jobs" },
};
