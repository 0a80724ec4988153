// What podrt leaves in the runtime folder of a container (native/README.md, "Runtime folder").
import type { RunState } from "../../base/installed.js";

/** The content of state.json without `alive`, or undefined when it is none: cut off, or of a podrt we do not know. */
export function parseState(text: string): Omit<RunState, "alive"> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, startTime, digest } = value as Record<string, unknown>;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0) return undefined;
  if (typeof startTime !== "string" || typeof digest !== "string") return undefined;
  return { pid, startTime, digest };
}
