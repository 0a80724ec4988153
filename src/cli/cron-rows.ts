// CronJobs as status shows them: a row each, or all of one.
import type { CronStatus } from "../status/types.js";
import { age, printable, table } from "./print.js";

/** With a head; `now` in milliseconds since the epoch. */
export function cronRows(crons: readonly CronStatus[], now: number): string[][] {
  return [
    ["CRONJOB", "SCHEDULE", "ZONE", "STATUS", "ACTIVE", "LAST", "NEXT"],
    ...crons.map((c) => [c.name, c.schedule, c.timeZone ?? "-", statusOf(c), `${c.active.length}`, last(c, now), next(c, now)]),
  ];
}

/** Lines of `podgen status cronjob/nightly`. */
export function describeCron(cron: CronStatus, now: number): string {
  const head = [
    ["CronJob:", cron.name],
    ["Status:", statusOf(cron)],
    ["Schedule:", cron.timeZone === undefined ? cron.schedule : `${cron.schedule} (${cron.timeZone})`],
    ["Concurrency:", cron.policy],
    ["Next:", cron.next === undefined ? "-" : `${new Date(cron.next).toISOString()} (${next(cron, now)})`],
    ["Timer:", `podgen-cron-${cron.name}.timer`],
    ["Source:", cron.source],
  ];
  const runs = cron.runs.map((run) => [
    run.job,
    run.reason === "" ? run.phase : `${run.phase} (${printable(run.reason)})`,
    `${run.succeeded}`,
    `${run.failed}`,
    run.startedAt === 0 ? "-" : age((run.finishedAt ?? now) - run.startedAt),
    run.startedAt === 0 ? "-" : age(now - run.startedAt),
  ]);
  return runs.length === 0
    ? table(head)
    : `${table(head)}\n${table([["RUN", "STATUS", "SUCCEEDED", "FAILED", "DURATION", "AGE"], ...runs])}`;
}

function statusOf({ suspend, stopped }: CronStatus): string {
  return stopped ? "Stopped" : suspend ? "Suspended" : "Waiting";
}

function last({ last }: CronStatus, now: number): string {
  return last === undefined ? "-" : `${age(now - last)} ago`;
}

function next({ next }: CronStatus, now: number): string {
  return next === undefined ? "-" : `in ${age(next - now)}`;
}
