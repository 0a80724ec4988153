// What podrt leaves in the runtime folder of a container (native/README.md, "Runtime folder").
import type { LastEnd, PodFailure, ProbeKill, ProbeName, ProbeRecord, ProbeResult, RunState } from "../../base/installed.js";

/** The content of state.json without `alive`, or undefined when it is none: cut off, or of a podrt we do not know. */
export function parseState(text: string): Omit<RunState, "alive"> | undefined {
  const { pid, startTime, digest, files } = objectIn(text);
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0) return undefined;
  if (typeof startTime !== "string" || typeof digest !== "string") return undefined;
  return { pid, startTime, digest, ...(typeof files === "string" ? { files } : {}) };
}

/** The content of ended.json, likewise. */
export function parseEnd(text: string): LastEnd | undefined {
  const { result, code, status, message } = objectIn(text);
  if (typeof result !== "string" || typeof code !== "string" || typeof status !== "string") return undefined;
  return { result, code, status, ...(typeof message === "string" ? { message } : {}) };
}

/** The content of failed.json, likewise. */
export function parseFailure(text: string): PodFailure | undefined {
  const { reason, message } = objectIn(text);
  return typeof reason === "string" && typeof message === "string" ? { reason, message } : undefined;
}

/** The content of killed.json, likewise. */
export function parseKill(text: string): ProbeKill | undefined {
  const { pid, probe, message, at } = objectIn(text);
  if (typeof pid !== "number" || typeof probe !== "string" || typeof message !== "string" || typeof at !== "number") return undefined;
  return { pid, probe, message, at };
}

const STATES = ["unknown", "ok", "failed"] as const;
const PROBES: readonly ProbeName[] = ["startup", "readiness", "liveness"];

/** The content of probe.json, likewise. */
export function parseProbes(text: string): ProbeRecord | undefined {
  const { pid, started, ready, probes } = objectIn(text);
  if (typeof pid !== "number" || typeof started !== "boolean" || typeof ready !== "boolean") return undefined;
  if (typeof probes !== "object" || probes === null) return undefined;
  const found = PROBES.flatMap((name): [ProbeName, ProbeResult][] => {
    const result = parseProbe((probes as Record<string, unknown>)[name]);
    return result === undefined ? [] : [[name, result]];
  });
  return { pid, started, ready, probes: Object.fromEntries(found) };
}

function parseProbe(value: unknown): ProbeResult | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { state, last, run, at, message } = value as Record<string, unknown>;
  const decided = STATES.find((word) => word === state);
  const result = STATES.find((word) => word === last);
  if (decided === undefined || result === undefined || typeof run !== "number" || typeof at !== "number") return undefined;
  return { state: decided, last: result, run, at, message: typeof message === "string" ? message : "" };
}

/** Empty where the text is no JSON object. */
function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
