// What people look at of CronJobs: when they run next, what goes on, how earlier runs ended. Pure.
import type { CronState } from "../base/cron.js";
import type { Manifest, UnitState } from "../base/installed.js";
import type { JobState } from "../base/job.js";
import type { CronRun, CronStatus } from "./types.js";

/** What is known beside the manifest: podrt's words, by the CronJob's name. */
export interface CronFacts {
  readonly state?: CronState;
  /** Of runs in their slots, by the Job's name. */
  readonly slots: ReadonlyMap<string, JobState>;
  /** Of runs that have ended and made room: the Job's name and its state. */
  readonly history: readonly (readonly [job: string, state: JobState])[];
}

/** The CronJobs of the manifest, sorted by name. `timers`: their units, by name. */
export function cronsOf(manifest: Manifest, timers: ReadonlyMap<string, UnitState>, known: ReadonlyMap<string, CronFacts>): CronStatus[] {
  return Object.values(manifest.pods)
    .flatMap(({ cron, source, enabled }): CronStatus[] => {
      if (cron === undefined) return [];
      const timer = enabled.map((unit) => timers.get(unit)).find((unit) => unit !== undefined);
      const { state, slots = new Map<string, JobState>(), history = [] } = known.get(cron.name) ?? {};
      const runs = [...history, ...slots].map(([job, of]) => runOf(job, of)).sort((a, b) => b.startedAt - a.startedAt);
      const goesOn = timer?.activeState === "active";
      return [
        {
          name: cron.name,
          schedule: cron.schedule,
          ...(cron.timeZone === undefined ? {} : { timeZone: cron.timeZone }),
          policy: cron.policy,
          suspend: cron.suspend,
          stopped: !goesOn,
          active: runs.filter((r) => r.phase === "running" || r.phase === "suspended").map((r) => r.job),
          ...(state === undefined || state.ran === 0 ? {} : { last: state.ran * 1000 }),
          ...(goesOn && timer.nextElapse !== undefined ? { next: timer.nextElapse / 1000 } : {}),
          runs,
          source,
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function runOf(job: string, { phase, reason, startedAt, finishedAt, succeeded, failed }: JobState): CronRun {
  return {
    job,
    phase,
    reason,
    startedAt: startedAt * 1000,
    ...(finishedAt === 0 ? {} : { finishedAt: finishedAt * 1000 }),
    succeeded,
    failed,
  };
}
