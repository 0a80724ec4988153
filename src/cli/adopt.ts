// apply --adopt: somebody else's units of our names are saved and stopped; where the apply fails they run again.
import type { ApplyReport } from "../apply/types.js";
import type { Manager } from "../ports/manager.js";
import type { Context } from "./context.js";
import type { Proposal } from "./session.js";

/** Beyond any unit's own stop time-out, milliseconds. */
const STOP_DEADLINE_MS = 3_600_000;
const START_DEADLINE_MS = 60_000;

/** A foreign unit that ran, and the pod that takes its name. */
interface Stopped {
  readonly unit: string;
  readonly pod: string;
}

/**
 * Saves the old files where systemd does not read them, and stops what runs by them, as they say how: under our text the
 * old processes would count as ours. Where it throws, what it had stopped runs again.
 */
export async function adoptUnits(proposal: Proposal, manager: Manager, context: Context): Promise<readonly Stopped[]> {
  const stopped: Stopped[] = [];
  try {
    await stopForeign(proposal, manager, context, stopped);
  } catch (error) {
    // What is thrown is the first error; one of the starts would only hide it.
    await giveBack(stopped, undefined, manager).catch(() => undefined);
    throw error;
  }
  return stopped;
}

/** One unit after the other; each is in `stopped` before it is stopped. */
async function stopForeign(proposal: Proposal, manager: Manager, context: Context, stopped: Stopped[]): Promise<void> {
  const files = await context.host.files();
  const wanted = proposal.rendered.pods.flatMap((pod) => pod.units.map((unit) => ({ unit: unit.name, pod: pod.name })));
  for (const { unit, pod } of wanted) {
    const path = proposal.foreign.get(unit);
    if (path === undefined) continue;
    const bytes = await files.read(path);
    if (bytes !== undefined) {
      const saved = `${context.host.paths.state}/adopted/${unit}.${Date.now()}`;
      await files.write(saved, bytes, 0o600);
      context.err.write(`adopted ${unit}: ${path} is saved as ${saved}\n`);
    }
    const { activeState } = await manager.get(unit);
    if (activeState === "inactive" || activeState === "failed") continue;
    stopped.push({ unit, pod });
    await manager.stop(unit, STOP_DEADLINE_MS);
  }
}

/** Starts again what was stopped for pods that failed, or for all of them where there is no report. */
export async function giveBack(stopped: readonly Stopped[], report: ApplyReport | undefined, manager: Manager): Promise<void> {
  const good = new Set(report?.pods.filter((p) => p.outcome !== "failed" && p.outcome !== "rolled-back").map((p) => p.name));
  await Promise.all(stopped.filter((s) => !good.has(s.pod)).map((s) => manager.start(s.unit, START_DEADLINE_MS)));
}
