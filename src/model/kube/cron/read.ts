// CronJobs: a schedule, and Jobs that stand ready to be its runs, NAME-r0, NAME-r1, …: as many as may go on at once.
import type { ConcurrencyPolicy, CronSchedule } from "../../../base/cron.js";
import type { Reader } from "../../../spec/reader.js";
import { Report } from "../../../spec/report.js";
import type { CronModel, JobModel, PodModel } from "../../types.js";
import { ANNOTATIONS } from "../annotations.js";
import { readJob } from "../job/read.js";
import { readMetadata } from "../metadata.js";
import type { PodView } from "../view.js";
import { onePortHolder } from "../workload/template.js";
import { readSchedule } from "./schedule.js";

/** Kubernetes' own limit: its Jobs have eleven characters more. */
const LONGEST_NAME = 52;
/** Where concurrencyPolicy is Allow and nothing else is said. */
const RUNS = 3;
const KEPT = { succeeded: 3, failed: 1 };

export interface ReadCron {
  readonly model: CronModel;
  readonly jobs: readonly JobModel[];
  /** Of all its Jobs. */
  readonly pods: readonly PodModel[];
  /** The template of the pods; undefined where it is missing. */
  readonly view: PodView | undefined;
  /** jobTemplate, with metadata of its own. */
  readonly template: Reader | undefined;
}

/** Reads what the walker has let through, reports what is wrong with it, and makes the Jobs and their pods. */
export function readCron(document: Reader, report: Report): ReadCron {
  const metadata = readMetadata("CronJob", document);
  const spec = document.object("spec");
  const policy = (spec?.text("concurrencyPolicy") ?? "Allow") as ConcurrencyPolicy;
  checkName(metadata.name, document, report);
  const runs = readRuns(policy, document, report);
  const template = spec?.object("jobTemplate");
  const names = Array.from({ length: runs }, (_, i) => `${metadata.name}-r${i}`);
  const read = (template === undefined ? [] : names).map((name, i) => {
    const own = template?.object("metadata");
    const { namespace, at } = metadata;
    const labels = own?.textMap("labels") ?? {};
    const annotations = own?.textMap("annotations") ?? {};
    // All of them are of one template: it is judged once.
    const findings = i === 0 ? report : new Report();
    const named = { name, namespace, labels, annotations, at, metadata: document.object("metadata"), cron: metadata.name };
    return readJob(template as Reader, findings, named);
  });
  const view = read[0]?.view;
  if (view !== undefined) onePortHolder(view, runs, ANNOTATIONS.cronRuns.pod[0]);
  const ttl = read[0]?.model.ttlSecondsAfterFinished;
  const text = spec?.text("schedule") ?? "";
  const zone = spec?.text("timeZone");
  const deadline = spec?.integer("startingDeadlineSeconds");
  const model: CronModel = {
    ...metadata,
    schedule: text.trim(),
    when: whenOf(text),
    ...(zone === undefined || spec === undefined ? {} : { timeZone: zone, zoneAt: spec.place("timeZone").at }),
    policy,
    ...(deadline === undefined ? {} : { deadlineSeconds: deadline }),
    keepSucceeded: spec?.integer("successfulJobsHistoryLimit") ?? KEPT.succeeded,
    keepFailed: spec?.integer("failedJobsHistoryLimit") ?? KEPT.failed,
    suspend: spec?.flag("suspend") === true,
    ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
    jobs: read.map((r) => r.model.name),
  };
  return { model, jobs: read.map((r) => r.model), pods: read.flatMap((r) => r.pods), view, template };
}

const NEVER: CronSchedule = { minutes: [], hours: [], days: [], months: [], weekdays: [], either: false };

/** What is none was reported by the walker. */
function whenOf(text: string): CronSchedule {
  const read = readSchedule(text);
  return "value" in read ? read.value : NEVER;
}

function checkName(name: string, document: Reader, report: Report): void {
  const metadata = document.object("metadata");
  if (metadata === undefined || name.length <= LONGEST_NAME) return;
  const problem = `is longer than ${LONGEST_NAME} characters (${name.length}), and its Jobs add to it`;
  report.error("bad-value", metadata.place("name"), metadata.pathOf("name"), problem);
}

/** How many Jobs stand ready. The annotation's value was, or will be, judged by its row. */
function readRuns(policy: ConcurrencyPolicy, document: Reader, report: Report): number {
  const annotations = document.object("metadata")?.object("annotations");
  const [key] = ANNOTATIONS.cronRuns.pod;
  const value = annotations?.text(key);
  const alone = policy === "Forbid" || policy === "Replace";
  if (annotations === undefined || value === undefined) return alone ? 1 : RUNS;
  const problem = `with concurrencyPolicy ${policy} one run goes on at a time`;
  if (alone && value !== "1") report.error("bad-annotation", annotations.place(key), annotations.pathOf(key), problem, "remove it");
  return !alone && ANNOTATIONS.cronRuns.check(value) === undefined ? Number(value) : 1;
}
