// The units of a CronJob: its timer, what looks at the clock, what makes a run by hand; and the file that says which runs there are.
import serviceTemplate from "../../../templates/cron.service";
import timerTemplate from "../../../templates/cron.timer";
import type { HostFacts } from "../../base/facts.js";
import type { PlannedCron } from "../../plan/cron.js";
import { cronUnit } from "../../plan/names.js";
import { calendarLines } from "./calendar.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `podgen-cron-nightly.timer`. */
export function cronTimerBody(cron: PlannedCron): string {
  const lines = cron.suspend ? [] : calendarLines(cron.when, cron.timeZone).map(unitValue);
  return fill(timerTemplate, {
    DESCRIPTION: unitValue(`CronJob ${cron.name}: ${cron.suspend ? "suspended" : cron.schedule}`),
    ON_CALENDAR: lines.length === 0 ? undefined : lines.join("\nOnCalendar="),
  });
}

/** `podgen-cron-nightly.service`, or `podgen-cron-nightly__now.service`. */
export function cronServiceBody(cron: PlannedCron, facts: HostFacts, now: boolean): string {
  return fill(serviceTemplate, {
    DESCRIPTION: unitValue(`CronJob ${cron.name}: ${now ? "a run by hand" : "looks at the clock"}`),
    EXEC_START: execLine([facts.paths.podrt, "cron", ...(now ? ["--now"] : []), cron.file]),
    // What was due stays so: the next time may be a month away.
    RESTART: now ? undefined : "on-failure",
    RESTART_SEC: now ? undefined : "60",
  });
}

/** `cron.json` (native/README.md, "CronJobs"). */
export function cronJson(cron: PlannedCron): string {
  const { name, schedule, timeZone, when, policy, deadlineSeconds, suspend, keepSucceeded, keepFailed, ttlSeconds, state, history } = cron;
  const members = {
    name,
    timer: `${cronUnit(name)}.timer`,
    schedule,
    ...(timeZone === undefined ? {} : { timeZone }),
    minutes: when.minutes,
    hours: when.hours,
    days: when.days,
    months: when.months,
    weekdays: when.weekdays,
    either: when.either,
    concurrencyPolicy: policy,
    ...(deadlineSeconds === undefined ? {} : { startingDeadlineSeconds: deadlineSeconds }),
    successfulJobsHistoryLimit: keepSucceeded,
    failedJobsHistoryLimit: keepFailed,
    ...(ttlSeconds === undefined ? {} : { ttlSecondsAfterFinished: ttlSeconds }),
    suspend,
    state,
    history,
    runs: cron.runs,
  };
  // A line each: a list of minutes is one thing.
  const lines = Object.entries(members).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}
