// The unit of a Job's controller.
import jobTemplate from "../../../templates/job.service";
import type { HostFacts } from "../../base/facts.js";
import type { PlannedJob } from "../../plan/jobs.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `podgen-job-pi.service`: what starts and stops the Job's pods, until it is over. */
export function jobBody({ model, file }: PlannedJob, facts: HostFacts): string {
  const cron = model.cron === undefined ? undefined : unitValue(`podgen-cron-${model.cron}.service`);
  return fill(jobTemplate, {
    DESCRIPTION: unitValue(`Job ${model.name}`),
    NEXT: cron,
    EXEC_START: execLine([facts.paths.podrt, "job", file]),
    WANTED_BY: cron === undefined ? "default.target" : undefined,
  });
}
