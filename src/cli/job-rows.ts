// Jobs as status shows them: a row each, or all of one.
import type { JobStatus } from "../status/types.js";
import { age, printable, table } from "./print.js";

/** With a head; `now` in milliseconds since the epoch. */
export function jobRows(jobs: readonly JobStatus[], now: number): string[][] {
  return [
    ["JOB", "STATUS", "COMPLETIONS", "ACTIVE", "FAILED", "DURATION", "AGE"],
    ...jobs.map((job) => [
      job.name,
      statusOf(job),
      completions(job),
      `${job.active}`,
      `${job.failed}`,
      duration(job, now),
      since(job, now),
    ]),
  ];
}

/** Lines of `podgen status job/pi`. `pods`: rows of its pods, with a head. */
export function describeJob(job: JobStatus, pods: readonly string[][], now: number): string {
  const head = [
    ["Job:", job.name],
    ["Status:", statusOf(job)],
    ...(job.message === undefined ? [] : [["Message:", printable(job.message)]]),
    ["Completions:", completions(job)],
    ["Pods:", `${job.active} active, ${job.succeeded} succeeded, ${job.failed} failed`],
    ["Duration:", duration(job, now)],
    ["Unit:", `podgen-job-${job.name}.service`],
    ["Source:", job.source],
  ];
  return pods.length > 1 ? `${table(head)}\n${table(pods)}` : table(head);
}

/** It goes on, or has ended as it was to. */
export function isFineJob({ phase }: JobStatus): boolean {
  return phase === "Running" || phase === "Complete" || phase === "Suspended";
}

function statusOf({ phase, reason }: JobStatus): string {
  return reason === undefined || phase === "Complete" ? phase : `${phase} (${reason})`;
}

function completions({ succeeded, completions: wanted }: JobStatus): string {
  return wanted === undefined ? `${succeeded}/1` : `${succeeded}/${wanted}`;
}

function duration({ startedAt, finishedAt }: JobStatus, now: number): string {
  return startedAt === undefined ? "-" : age((finishedAt ?? now) - startedAt);
}

function since({ startedAt }: JobStatus, now: number): string {
  return startedAt === undefined ? "-" : age(now - startedAt);
}
