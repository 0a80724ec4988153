// minReadySeconds: a pod counts as available only when all of it has been up for so long, without a break.
import type { PodChange } from "../diff/types.js";
import { HealthWatch } from "./health.js";
import type { ApplyOptions, ApplyPorts, ContainerFailure } from "./types.js";

/** Between two looks, milliseconds. */
const LOOK_MS = 500;

/** Waits until the pod, which is up, has been so for `seconds`; what failed meanwhile, or kept it from being up for so long. */
export async function staysReady(
  ports: ApplyPorts,
  change: PodChange,
  seconds: number,
  options: ApplyOptions,
): Promise<readonly ContainerFailure[]> {
  if (seconds === 0) return [];
  const { clock } = ports;
  const deadline = clock.now() + Math.max(options.timeout, seconds * 1000);
  // All of it runs and is to be left alone: what is down for good now is a failure.
  const health = await HealthWatch.begin(ports, { ...change, units: change.units.map((u) => ({ ...u, verdict: "unchanged" as const })) });
  for (;;) {
    const failures = await health.wait(deadline);
    if (failures.length > 0) return failures;
    const late = await lastStarted(ports, change);
    const now = clock.now();
    const left = (late.upSince ?? now) + seconds * 1000 - now;
    if (left <= 0) return [];
    if (now >= deadline) return [unsteady(change, late.unit, seconds)];
    await clock.sleep(Math.max(1, Math.min(left, LOOK_MS)));
  }
}

interface Started {
  readonly unit: string;
  /** Milliseconds since the epoch; absent: it is not up. */
  readonly upSince?: number;
}

/** Probes too: their unit is up when they have succeeded. */
const COUNTED: ReadonlySet<string> = new Set(["container", "probe"]);

/** The unit that came up last, or is not. */
async function lastStarted(ports: ApplyPorts, change: PodChange): Promise<Started> {
  const units = change.units.filter((u) => COUNTED.has(u.role) && u.verdict !== "remove").map((u) => u.unit);
  const states = await ports.manager.list(units);
  const started = units.map((unit): Started => {
    const state = states.find((s) => s.name === unit);
    const up = state?.activeState === "active" || state?.activeState === "reloading";
    return up && state.service !== undefined ? { unit, upSince: state.service.activeEnter / 1000 } : { unit };
  });
  const [last = { unit: "" }] = started.sort((a, b) => (b.upSince ?? Number.MAX_VALUE) - (a.upSince ?? Number.MAX_VALUE));
  return last;
}

function unsteady(change: PodChange, unit: string, seconds: number): ContainerFailure {
  const container = change.units.find((u) => u.unit === unit)?.container;
  return {
    pod: change.name,
    ...(container === undefined ? {} : { container }),
    unit,
    reason: `was not up for ${seconds} s without a break (minReadySeconds)`,
    restarts: 0,
    lastLines: [],
    hint: `journalctl --user-unit ${unit}`,
  };
}
