// Processes by pid and start time, so that a pid that was given anew is not taken for the old one.
import { readFileSync } from "node:fs";

/** State letter and start time (fields 3 and 22 of /proc/PID/stat, proc(5)). */
export interface ProcessStat {
  readonly state: string;
  /** Clock ticks since boot, as a decimal string. */
  readonly startTime: string;
}

/** Parses the content of /proc/PID/stat; the name in parentheses may hold anything, parentheses too. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state && startTime ? { state, startTime } : undefined;
}

/** Undefined where there is no such process. */
export async function processStat(pid: number): Promise<ProcessStat | undefined> {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** True for a process that still runs (no zombie) and is the one that started then. */
export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  const stat = await processStat(pid);
  return stat !== undefined && stat.startTime === startTime && !["Z", "X", "x"].includes(stat.state);
}
