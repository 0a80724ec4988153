// minReadySeconds: a pod counts as available only when it has been ready for so long.
import type { PodChange } from "../diff/types.js";
import { HealthWatch } from "./health.js";
import type { ApplyOptions, ApplyPorts, ContainerFailure } from "./types.js";

/** Between two looks, milliseconds. */
const LOOK_MS = 500;

/** Waits until the pod, which is up, has stayed so for `seconds`; what failed meanwhile. */
export async function staysReady(
  ports: ApplyPorts,
  change: PodChange,
  seconds: number,
  options: ApplyOptions,
): Promise<readonly ContainerFailure[]> {
  if (seconds === 0) return [];
  const until = ports.clock.now() + seconds * 1000;
  // All of it runs and is to be left alone: what ends now is a failure.
  const health = await HealthWatch.begin(ports, { ...change, units: change.units.map((u) => ({ ...u, verdict: "unchanged" as const })) });
  for (;;) {
    const failures = await health.wait(ports.clock.now() + options.timeout);
    const left = until - ports.clock.now();
    if (failures.length > 0 || left <= 0) return failures;
    await ports.clock.sleep(Math.min(left, LOOK_MS));
  }
}
