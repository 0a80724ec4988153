// One Job's file and unit, in the shape of a pod's, so that they go the same way from here on. Its pods are rendered as such.
import type { HostFacts } from "../base/facts.js";
import { jobKey } from "../base/job.js";
import type { PlannedJob } from "../plan/jobs.js";
import { type Json, printJson } from "./oci/json.js";
import type { RenderedFile, RenderedPod } from "./types.js";
import { withHeader } from "./units/header.js";
import { jobBody } from "./units/job.js";

export function renderJob(planned: PlannedJob, facts: HostFacts): RenderedPod {
  const { model, source, unit, file, state, slots } = planned;
  const path = `${facts.paths.units}/${unit}`;
  const origin = `from ${source}, object ${model.cron === undefined ? `Job/${model.name}` : `CronJob/${model.cron}, run ${model.name}`}`;
  const files: RenderedFile[] = [
    { path, bytes: withHeader(unit, origin, jobBody(planned, facts)), mode: 0o644, kind: "unit", secret: false },
    { path: file, bytes: new TextEncoder().encode(jobText(planned)), mode: 0o600, kind: "data", secret: false },
  ];
  const { name, run, completions, parallelism, suspend, cron } = model;
  return {
    name: jobKey(name),
    source,
    files,
    units: [{ name: unit, role: "job", files: files.map((f) => f.path) }],
    // A run of a CronJob is started by that one.
    enable: cron === undefined ? [unit] : [],
    images: {},
    folders: [],
    shifted: new Map(),
    objects: [],
    job: {
      name,
      run,
      state,
      ...(completions === undefined ? {} : { completions }),
      parallelism,
      suspend,
      slots: slots.map((s) => s.pod),
      ...(cron === undefined ? {} : { cron }),
    },
  };
}

/** What podrt job reads (native/README.md). What is absent here is none there. */
function jobText({ model, state, slots }: PlannedJob): string {
  const numbers = {
    completions: model.completions,
    parallelism: model.parallelism,
    // There is no "none" of it: where each index has a limit of its own, the sum has one that is never reached.
    backoffLimit: model.backoffLimit ?? 2147483647,
    backoffLimitPerIndex: model.backoffLimitPerIndex,
    maxFailedIndexes: model.maxFailedIndexes,
    activeDeadlineSeconds: model.activeDeadlineSeconds,
    ttlSecondsAfterFinished: model.ttlSecondsAfterFinished,
  };
  const given = Object.entries(numbers).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return printJson({
    name: model.name,
    run: model.run,
    state,
    ...(model.cron === undefined ? {} : { cron: model.cron }),
    indexed: model.indexed,
    ...Object.fromEntries(given),
    suspend: model.suspend,
    restartPolicy: model.restartPolicy,
    podReplacementPolicy: model.replacesFailed ? "Failed" : "TerminatingOrFailed",
    ...(model.failurePolicy.length === 0 ? {} : { podFailurePolicy: model.failurePolicy.map(asJson) }),
    ...(model.successPolicy.length === 0 ? {} : { successPolicy: model.successPolicy.map(asJson) }),
    slots: slots.map((slot) => ({ ...slot, containers: slot.containers.map((c) => ({ ...c })) })),
  });
}

function asJson(rule: object): Json {
  return { ...rule };
}
