// Jobs: a template becomes slots, pods with fixed names that are used again for each attempt: NAME-0, NAME-1, …; of an indexed Job one per index.
import { hash } from "node:crypto";
import { canonical } from "../../../spec/canonical.js";
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import type { Container, JobModel, ObjectRef, PodModel } from "../../types.js";
import { dnsLabel } from "../formats.js";
import { readSelector, selects } from "../selector.js";
import type { PodView } from "../view.js";
import { onePortHolder, readTemplate } from "../workload/template.js";
import { errorsOf, INDEXED_HINT, NEEDS_INDEXED, readFailurePolicy, readSuccessPolicy } from "./policies.js";

/** As of workloads: more units of one template are a slip of the finger on one machine. */
const MAX_SLOTS = 1000;
/** Kubernetes' default. */
const BACKOFF_LIMIT = 6;
const INDEX = "batch.kubernetes.io/job-completion-index";
const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";

export interface ReadJob {
  readonly model: JobModel;
  readonly pods: readonly PodModel[];
  /** The template, as the pod with the longest name; undefined where it is missing. */
  readonly view: PodView | undefined;
}

/** Who the Job is: its own metadata, or what its CronJob gives it. */
export interface NamedJob extends Pick<ObjectRef, "name" | "namespace" | "labels" | "annotations" | "at"> {
  /** Where its name stands. */
  readonly metadata: Reader | undefined;
  /** The CronJob whose run it is. */
  readonly cron?: string;
}

/** Reads what the walker has let through: `owner` has a `spec` of type JobSpec. Reports what is wrong with it, and makes the pods. */
export function readJob(owner: Reader, report: Report, job: NamedJob): ReadJob {
  const spec = owner.object("spec");
  const { metadata, cron, name, namespace, labels, annotations, at } = job;
  const counts = readCounts(spec);
  const { indexed, completions, parallelism } = counts;
  const active = Math.min(parallelism, completions ?? parallelism);
  const slots = checkSlots(spec, report, indexed ? (completions ?? 0) : active, indexed);
  const nameOf = (index: number): string => `${name}-${index}`;
  const last = nameOf(Math.max(0, slots - 1));
  const view = readTemplate(owner, report, { name: last, namespace, at, metadata, volumes: [] });
  if (view !== undefined) {
    runsToItsEnd(view);
    onePortHolder(view, active, "parallelism");
    if (spec !== undefined) checkSelector(spec, report, view);
  }
  const model: JobModel = {
    kind: "Job",
    name,
    namespace,
    labels,
    annotations,
    at,
    ...counts,
    ...(cron === undefined ? {} : { cron }),
    ...(spec === undefined ? { run: "", failurePolicy: [], successPolicy: [] } : readRest(spec, report, view, counts)),
    restartPolicy: view?.model.restartPolicy === "OnFailure" ? "OnFailure" : "Never",
    slots: view === undefined ? [] : numbers(slots).map(nameOf),
  };
  if (indexed && metadata !== undefined && dnsLabel(name) === undefined && dnsLabel(last) !== undefined)
    errorsOf(report)(metadata, "name", `its pods' host names, as ${last}, would be longer than 63 characters`, "choose a shorter name");
  const pods = view === undefined ? [] : numbers(slots).map((index) => makePod(view.model, model, index));
  // What is said of the template's pods is said of one that there is.
  return { model, pods, view: view === undefined ? undefined : { ...view, model: pods.at(-1) ?? view.model } };
}

type Counts = Pick<JobModel, "indexed" | "completions" | "parallelism" | "suspend">;

/** Where neither number is there, both are 1; without completions alone it is a queue of work. */
function readCounts(spec: Reader | undefined): Counts {
  const [parallelism, given] = [spec?.integer("parallelism"), spec?.integer("completions")];
  const indexed = spec?.text("completionMode") === "Indexed";
  const completions = given ?? (parallelism === undefined || indexed ? 1 : undefined);
  const suspend = spec?.flag("suspend") === true;
  return { indexed, ...(completions === undefined ? {} : { completions }), parallelism: parallelism ?? 1, suspend };
}

function readRest(spec: Reader, report: Report, view: PodView | undefined, { indexed, completions }: Counts): Rest {
  const policed = {
    spec,
    report,
    indexed,
    ...(completions === undefined ? {} : { completions }),
    containers: view?.containers.map((c) => c.model.name) ?? [],
    neverRestarts: view === undefined || view.model.restartPolicy === "Never",
  };
  const failurePolicy = readFailurePolicy(policed);
  const successPolicy = readSuccessPolicy(policed);
  checkLimits(policed);
  const perIndex = spec.integer("backoffLimitPerIndex");
  return {
    run: runOf(spec),
    // As in Kubernetes: where each index has its own limit, there is none for all.
    backoffLimit: spec.integer("backoffLimit") ?? (perIndex === undefined ? BACKOFF_LIMIT : undefined),
    backoffLimitPerIndex: perIndex,
    maxFailedIndexes: spec.integer("maxFailedIndexes"),
    activeDeadlineSeconds: spec.integer("activeDeadlineSeconds"),
    ttlSecondsAfterFinished: spec.integer("ttlSecondsAfterFinished"),
    replacesFailed: spec.text("podReplacementPolicy") === "Failed" || spec.get("podFailurePolicy") !== undefined,
    failurePolicy,
    successPolicy,
  };
}

type Rest = Omit<JobModel, keyof Counts | keyof ObjectRef | "restartPolicy" | "slots" | "cron">;

/** What Kubernetes takes no other value of once the Job is there; all else counts for the run that goes on. */
const OF_A_RUN = ["backoffLimitPerIndex", "completionMode", "completions", "podFailurePolicy", "selector", "successPolicy", "template"];

/** As the spec says it, so that another version of podgen makes no other run of it. */
function runOf(spec: Reader): string {
  const parts = OF_A_RUN.flatMap((field) => {
    const node = spec.get(field);
    return node === undefined ? [] : [`${field}:${canonical(node)}`];
  });
  return hash("sha256", parts.join("\n"), "hex");
}

function checkSlots(spec: Reader | undefined, report: Report, slots: number, indexed: boolean): number {
  if (spec === undefined) return 0;
  const error = errorsOf(report);
  if (indexed && spec.integer("completions") === undefined)
    report.error("missing-field", spec.keyPlace("completions"), spec.pathOf("completions"), "missing: completionMode is Indexed");
  if (slots <= MAX_SLOTS) return Math.max(0, slots);
  const why = indexed ? "each index is a pod of its own, and podgen" : "podgen";
  error(spec, indexed ? "completions" : "parallelism", `${why} makes ${MAX_SLOTS} pods of a template at most`);
  return 1;
}

/** Limits that ask for another field. */
function checkLimits({ spec, report, indexed, completions = 0, neverRestarts }: Parameters<typeof readFailurePolicy>[0]): void {
  const error = errorsOf(report);
  const has = (field: string): boolean => spec.get(field) !== undefined;
  if (has("backoffLimitPerIndex") && !indexed) error(spec, "backoffLimitPerIndex", NEEDS_INDEXED, INDEXED_HINT);
  if (has("backoffLimitPerIndex") && !neverRestarts)
    error(spec, "backoffLimitPerIndex", "goes with restartPolicy Never only", "write restartPolicy: Never in the template");
  const most = spec.integer("maxFailedIndexes");
  if (most === undefined) return;
  if (!has("backoffLimitPerIndex")) error(spec, "maxFailedIndexes", "needs a backoffLimitPerIndex", "write it, or remove this");
  if (indexed && most > completions) error(spec, "maxFailedIndexes", `must not be more than completions (${completions})`);
}

/** batch/v1: what runs to its end is not started again after success. */
function runsToItsEnd({ model, spec, report }: PodView): void {
  if (spec === undefined || model.restartPolicy !== "Always") return;
  const hint = "write Never: a failed pod is another attempt, or OnFailure: its containers are started again";
  errorsOf(report)(spec, "restartPolicy", "pods of a Job run to their end: it must be Never or OnFailure", hint);
}

/** podgen goes by owners; a selector is there to be right. */
function checkSelector(spec: Reader, report: Report, view: PodView): void {
  const reader = spec.object("selector");
  if (reader === undefined) {
    if (spec.flag("manualSelector") === true)
      report.error("missing-field", spec.keyPlace("manualSelector"), spec.pathOf("selector"), "missing: manualSelector is true");
    return;
  }
  if (!selects(readSelector(reader, report), view.model.labels))
    report.error(
      "bad-selector",
      spec.keyPlace("selector"),
      spec.pathOf("selector"),
      "does not select the template's own pods",
      "remove it: podgen knows them without",
    );
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** One slot, with the labels that Kubernetes gives such a pod; where pods have an index, its host name says it too. */
function makePod(template: PodModel, { name: job, indexed }: JobModel, index: number): PodModel {
  const name = `${job}-${index}`;
  const own = { "batch.kubernetes.io/job-name": job, "job-name": job };
  const pod = { ...template, name, owner: { kind: "Job", name: job, index }, labels: { ...template.labels, ...own } };
  if (!indexed) return pod;
  const number = { [INDEX]: String(index) };
  const told = (c: Container): Container => withIndex(c, index);
  return {
    ...pod,
    hostname: name,
    labels: { ...pod.labels, ...number },
    annotations: { ...pod.annotations, ...number },
    initContainers: pod.initContainers.map(told),
    containers: pod.containers.map(told),
  };
}

/** What says this variable itself keeps it. */
function withIndex(container: Container, index: number): Container {
  if (container.env.some((v) => v.name === INDEX_VARIABLE)) return container;
  return {
    ...container,
    env: [...container.env, { name: INDEX_VARIABLE, source: { kind: "value", value: String(index) }, at: container.at }],
  };
}
