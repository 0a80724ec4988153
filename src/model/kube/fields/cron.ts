// Fields of CronJobs (batch/v1).
import { object } from "../../../spec/schema.js";
import { schedule, timeZone } from "../cron/schedule.js";
import { STATUS, TEMPLATE_METADATA } from "./metadata.js";
import { COUNT, JOB_SPEC, OBJECT } from "./workloads.js";

const SCHEDULE =
  "A systemd timer: what the clock leaves out in spring is not run that day, and what it has twice in autumn is run once, but for what is due every five minutes, say, around the clock. Days of the month and of the week are both said: one of them is enough. With a step, as in */2, a field of days says something.";
const POLICY =
  "Allow: so many at once as the annotation podgen.io/cron-runs says, 3 without it. Forbid: one. What is due while there is no room begins when one has ended, once, however often it was due meanwhile. Replace: the last one is ended first.";
const DEADLINE =
  "What was due while the machine was off, or there was no room, is made up for, once, however often it was due; a deadline says how late that may be.";

const JOB_TEMPLATE = object("JobTemplateSpec", { metadata: { type: TEMPLATE_METADATA }, spec: { type: JOB_SPEC, required: true } });

export const CRON_JOB = object("CronJob", {
  ...OBJECT,
  spec: {
    type: object("CronJobSpec", {
      schedule: {
        type: "string",
        required: true,
        check: schedule,
        form: "five fields of cron(5), or @daily and the like",
        note: SCHEDULE,
      },
      timeZone: { type: "string", check: timeZone, since: "1.25", form: "a name of the time zone database: Europe/Berlin" },
      concurrencyPolicy: { type: "string", values: ["Allow", "Forbid", "Replace"], note: POLICY },
      startingDeadlineSeconds: { ...COUNT, form: "seconds", note: DEADLINE },
      successfulJobsHistoryLimit: COUNT,
      failedJobsHistoryLimit: COUNT,
      suspend: { type: "boolean" },
      jobTemplate: { type: JOB_TEMPLATE, required: true },
    }),
    required: true,
  },
  status: STATUS,
});
