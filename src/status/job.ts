// What people look at of Jobs: how far they are, and how they ended. Pure.
import type { Manifest, UnitState } from "../base/installed.js";
import { type JobState, stateOf } from "../base/job.js";
import type { JobStatus, ShownJobPhase } from "./types.js";

/** The Jobs of the manifest, sorted by name; those whose time after their end is over are gone, as in Kubernetes. `states`: by name. */
export function jobsOf(manifest: Manifest, units: ReadonlyMap<string, UnitState>, states: ReadonlyMap<string, JobState>): JobStatus[] {
  return Object.values(manifest.pods)
    .flatMap(({ job, source }): JobStatus[] => {
      if (job === undefined) return [];
      const { name, completions } = job;
      const state = stateOf(job, states.get(name));
      if (state?.phase === "expired") return [];
      const active = state?.phase === "running" ? state.slots.filter((slot) => slot.up).length : 0;
      return [
        {
          name,
          phase: phaseOf(state, units.get(`podgen-job-${name}.service`)),
          ...(state === undefined || state.reason === "" ? {} : { reason: state.reason }),
          ...(state === undefined || state.message === "" ? {} : { message: state.message }),
          ...(completions === undefined ? {} : { completions }),
          succeeded: state?.succeeded ?? 0,
          active,
          failed: state?.failed ?? 0,
          ...timesOf(state),
          ...(job.cron === undefined ? {} : { cron: job.cron }),
          source,
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const PHASES = { running: "Running", suspended: "Suspended", complete: "Complete", failed: "Failed", expired: "Complete" } as const;
const GOES_ON: ReadonlySet<string> = new Set(["active", "activating", "reloading"]);

/** What is not over needs a controller that runs. */
function phaseOf(state: JobState | undefined, unit: UnitState | undefined): ShownJobPhase {
  const phase = state === undefined ? "Running" : PHASES[state.phase];
  const over = phase === "Complete" || phase === "Failed";
  return over || GOES_ON.has(unit?.activeState ?? "") ? phase : "Stopped";
}

function timesOf(state: JobState | undefined): Pick<JobStatus, "startedAt" | "finishedAt"> {
  const { startedAt = 0, finishedAt = 0 } = state ?? {};
  return {
    ...(startedAt === 0 ? {} : { startedAt: startedAt * 1000 }),
    ...(finishedAt === 0 ? {} : { finishedAt: finishedAt * 1000 }),
  };
}
