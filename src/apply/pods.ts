// Whole pods that go: stopped first, forgotten when their files are gone.
import { isPodKey } from "../base/service.js";
import type { PodChange } from "../diff/types.js";
import type { ApplyOptions, ApplyPorts, PodReport } from "./types.js";

/** A slice that is empty stops at once. Milliseconds. */
export const SLICE_DEADLINE_MS = 10_000;

/** Stops a whole pod: the pod unit takes its parts with it; what was started without it is stopped by name. */
export async function stopPod(ports: ApplyPorts, change: PodChange, options: ApplyOptions): Promise<void> {
  if (isPodKey(change.name)) await ports.manager.stop(`pod-${change.name}.service`, options.stopTimeout);
  const rest = change.units.filter((u) => u.role !== "pod" && u.role !== "slice").map((u) => u.unit);
  await Promise.all(rest.map((unit) => ports.manager.stop(unit, options.stopTimeout)));
}

/** After the files are gone and the manager has reloaded: no failed states, no folders left. */
export async function forgetPod(ports: ApplyPorts, change: PodChange): Promise<PodReport> {
  for (const u of change.units) await ports.manager.resetFailed(u.unit);
  // Nobody stops a slice that is empty; without its unit file it would stay until the manager ends.
  for (const u of change.units) if (u.role === "slice") await ports.manager.stop(u.unit, SLICE_DEADLINE_MS);
  await ports.runtime.removeTrees(change.folders);
  return { name: change.name, outcome: "deleted", actions: change.units.map((u) => `${u.unit} removed`), failures: [] };
}
