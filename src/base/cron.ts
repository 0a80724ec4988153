// A CronJob's schedule as it is understood: which minutes, hours and days.

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
