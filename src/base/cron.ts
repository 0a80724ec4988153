// CronJobs: the schedule as it is understood, and what is planned and remembered of one.

/** Each list sorted, without doubles; what the schedule leaves open is written out. */
export interface CronSchedule {
  /** 0 to 59. */
  readonly minutes: readonly number[];
  /** 0 to 23. */
  readonly hours: readonly number[];
  /** Of the month, 1 to 31. */
  readonly days: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 to 6, from Sunday. */
  readonly weekdays: readonly number[];
  /** Days of the month and of the week are both said, and one of them is enough; else both must fit. */
  readonly either: boolean;
}

/** The most days that each month can have. */
const LONGEST: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether one of the months can have one of the days: the 30th of February never comes. */
export function hasSuchDay({ days, months }: Pick<CronSchedule, "days" | "months">): boolean {
  return months.some((month) => days.some((day) => day <= (LONGEST[month - 1] ?? 0)));
}

export type ConcurrencyPolicy = "Allow" | "Forbid" | "Replace";

/** What the manifest keeps of a CronJob. */
export interface CronRecord {
  readonly name: string;
  /** As written. */
  readonly schedule: string;
  /** Absent: the host's. */
  readonly timeZone?: string;
  readonly policy: ConcurrencyPolicy;
  readonly suspend: boolean;
  /** Absolute path of what podrt cron remembers (CronState). */
  readonly state: string;
  /** Absolute path of the folder with the states of runs that have ended and made room. */
  readonly history: string;
  /** Names of the Jobs that stand ready to be its runs. */
  readonly jobs: readonly string[];
}

/** What podgen reads of podrt cron's state file (native/README.md, "CronJobs"). Seconds since the epoch. */
export interface CronState {
  /** Up to then all that was due is settled. */
  readonly last: number;
  /** What the last run by the clock was for; 0: there was none yet. */
  readonly ran: number;
}

/** What stands in the file; undefined where there is none, or it is none that this podgen can read. */
export function parseCronState(bytes: Uint8Array | undefined): CronState | undefined {
  if (bytes === undefined) return undefined;
  try {
    const state = JSON.parse(new TextDecoder().decode(bytes)) as (CronState & { readonly version: number }) | null;
    return state?.version === 1 && typeof state.last === "number" && typeof state.ran === "number" ? state : undefined;
  } catch {
    return undefined;
  }
}

const PREFIX = "cron/";

/** What stands for a CronJob among the pods of manifest, change set and report; no pod's name has a slash. */
export function cronKey(name: string): string {
  return `${PREFIX}${name}`;
}

export function isCronKey(key: string): boolean {
  return key.startsWith(PREFIX);
}
