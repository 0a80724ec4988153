// Is a Job as wanted? Its controller has begun with it, and its first pods have been started; its end is not waited for.
import { isJobKey, type JobRecord, type JobState, parseJobState, stateOf } from "../base/job.js";
import type { PodChange } from "../diff/types.js";
import type { ApplyPorts, ContainerFailure } from "./types.js";

/** Between two looks, milliseconds. */
const LOOK_MS = 60;

/** Waits until the Job is under way, or over; why it is not as wanted: it has failed by then, or the deadline (milliseconds since the epoch) passed. */
export async function jobFailures(ports: ApplyPorts, change: PodChange, deadline: number): Promise<ContainerFailure[]> {
  const job = change.manifest?.job;
  const unit = change.units.find((u) => u.role === "job")?.unit;
  if (!isJobKey(change.name) || job === undefined || unit === undefined) return [];
  /** Looks in a row at which all was well: what ends at once has its end told a moment later. */
  let well = 0;
  for (;;) {
    const state = stateOf(job, parseJobState(await ports.files.read(job.state)));
    if (state?.phase === "failed") return [failure(change.name, unit, `failed: ${state.reason}: ${state.message}`)];
    well = state !== undefined && (await isUnderWay(ports, job, state)) ? well + 1 : 0;
    if (well > 1) return [];
    const [controller] = await ports.manager.list([unit]);
    // Its own trouble: it tries again, and says why in the journal.
    if (controller?.activeState === "failed") return [failure(change.name, unit, "its controller has failed")];
    if (ports.clock.now() >= deadline) return [failure(change.name, unit, "its first pods were not started in time")];
    await ports.clock.sleep(LOOK_MS);
  }
}

async function isUnderWay(ports: ApplyPorts, job: JobRecord, state: JobState): Promise<boolean> {
  if (state.phase !== "running") return true;
  const up = state.slots.filter((slot) => slot.up).map((slot) => `pod-${slot.pod}.service`);
  if (up.length === 0) return state.slots.some((slot) => slot.attempt > 0) || job.slots.length === 0;
  const units = await ports.manager.list(up);
  // One that is down has ended, and its controller is about to say how.
  return units.length === up.length && units.every((u) => u.activeState === "active");
}

function failure(pod: string, unit: string, reason: string): ContainerFailure {
  return { pod, unit, reason, restarts: 0, lastLines: [], hint: `podgen status ${pod}; journalctl --user-unit ${unit}` };
}
