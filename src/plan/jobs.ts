// Jobs: what each one's controller is told of it, and of the pods it starts and stops.
import type { Diagnostic } from "../base/diagnostic.js";
import type { HostFacts } from "../base/facts.js";
import { sameOwner } from "../base/owner.js";
import type { JobModel } from "../model/types.js";
import { jobUnit, podUnit, UNIT_NAME_MAX } from "./names.js";
import { jobFile, jobState } from "./paths.js";
import type { PodPlan } from "./types.js";

/** A pod that is used again for each attempt. */
export interface PlannedSlot {
  readonly pod: string;
  readonly unit: string;
  readonly index: number;
  /** Absolute; cleared before each attempt: what runs again is another pod, and what the last one left says nothing of it. */
  readonly folders: readonly string[];
  readonly containers: readonly { readonly name: string; readonly unit: string; readonly init: boolean; readonly sidecar: boolean }[];
}

export interface PlannedJob {
  readonly model: JobModel;
  readonly source: string;
  /** `podgen-job-pi.service` */
  readonly unit: string;
  /** Absolute paths of what the controller reads, and of what it remembers. */
  readonly file: string;
  readonly state: string;
  readonly slots: readonly PlannedSlot[];
}

interface Given {
  readonly jobs: readonly JobModel[];
  readonly pods: readonly PodPlan[];
  readonly facts: HostFacts;
  readonly sourceOf: (job: JobModel) => string;
}

export function planJobs({ jobs, pods, facts, sourceOf }: Given): { jobs: PlannedJob[]; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const planned = jobs.map((model): PlannedJob => {
    const unit = jobUnit(model.name);
    if (unit.length > UNIT_NAME_MAX) diagnostics.push(tooLong(model, unit));
    return {
      model,
      source: sourceOf(model),
      unit,
      file: jobFile(facts.paths, model.name),
      state: jobState(facts.paths, model.name),
      slots: pods.filter((pod) => sameOwner(pod.owner, model)).map(slotOf),
    };
  });
  return { jobs: planned, diagnostics };
}

function slotOf(pod: PodPlan): PlannedSlot {
  return {
    pod: pod.name,
    unit: podUnit(pod.name),
    index: pod.owner?.index ?? 0,
    folders: pod.folders,
    containers: pod.containers.map(({ name, unit, init, sidecar = false }) => ({ name, unit, init, sidecar })),
  };
}

function tooLong({ name, at }: JobModel, unit: string): Diagnostic {
  const message = `Job "${name}" makes a unit name of ${unit.length} characters (${unit}); systemd takes ${UNIT_NAME_MAX}`;
  return { code: "name-too-long", severity: "error", message, at, hint: "choose a shorter name" };
}
