// CronJobs: where their files are, and whether the machine knows their time zones.
import type { CronRecord, CronSchedule } from "../base/cron.js";
import type { Diagnostic } from "../base/diagnostic.js";
import type { HostFacts, Paths } from "../base/facts.js";
import type { CronModel } from "../model/types.js";
import { jobUnit } from "./names.js";
import { cronFile, cronHistory, cronState, jobFile, jobState } from "./paths.js";

/** A Job that stands ready to be a run. */
export interface PlannedRun {
  readonly job: string;
  readonly unit: string;
  /** Its job.json. */
  readonly file: string;
  readonly state: string;
}

export interface PlannedCron extends CronRecord {
  readonly when: CronSchedule;
  readonly deadlineSeconds?: number;
  readonly keepSucceeded: number;
  readonly keepFailed: number;
  /** Absent: ended runs are kept as long as there is room for them. */
  readonly ttlSeconds?: number;
  readonly runs: readonly PlannedRun[];
  /** Absolute path of cron.json. */
  readonly file: string;
  /** What the manifest remembers as its source. */
  readonly source: string;
}

/** Where a time zone's rules are. */
export function zonePath(zone: string): string {
  return `/usr/share/zoneinfo/${zone}`;
}

/** `zones`: names of those that the machine knows, of those that the model has. */
export function planCrons(
  crons: readonly CronModel[],
  facts: HostFacts,
  zones: ReadonlySet<string>,
  sourceOf: (cron: CronModel) => string,
): { crons: PlannedCron[]; diagnostics: Diagnostic[] } {
  return {
    crons: crons.map((cron) => planCron(cron, facts.paths, sourceOf(cron))),
    diagnostics: crons.flatMap((cron) => checkZone(cron, zones)),
  };
}

function planCron(cron: CronModel, paths: Paths, source: string): PlannedCron {
  const { name, schedule, when, timeZone, policy, suspend, deadlineSeconds, keepSucceeded, keepFailed, ttlSeconds, jobs } = cron;
  return {
    name,
    schedule,
    ...(timeZone === undefined ? {} : { timeZone }),
    policy,
    suspend,
    state: cronState(paths, name),
    history: cronHistory(paths, name),
    jobs,
    when,
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    keepSucceeded,
    keepFailed,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    runs: jobs.map((job) => ({ job, unit: jobUnit(job), file: jobFile(paths, job), state: jobState(paths, job) })),
    file: cronFile(paths, name),
    source,
  };
}

/** systemd passes a calendar with another one over, and C libraries take UTC for it. */
function checkZone({ name, timeZone, zoneAt }: CronModel, zones: ReadonlySet<string>): Diagnostic[] {
  if (timeZone === undefined || zoneAt === undefined || zones.has(timeZone)) return [];
  const message = `CronJob "${name}": this machine knows no time zone "${timeZone}"`;
  const hint = "write a name that timedatectl list-timezones shows; they are of the package tzdata";
  return [{ code: "unknown-time-zone", severity: "error", message, at: zoneAt, hint }];
}
