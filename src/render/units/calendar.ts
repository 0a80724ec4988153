// A schedule of cron in the words of systemd.time(7): what OnCalendar= of a timer says, each on a line of its own.
import { type CronSchedule, hasSuchDay } from "../../base/cron.js";

/** systemd's week begins with Monday, and no range of it passes the end. */
const WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The values of OnCalendar=, one of which is enough. `zone` absent: the host's. */
export function calendarLines(schedule: CronSchedule, zone: string | undefined): string[] {
  const { minutes, hours, days, months, weekdays, either } = schedule;
  const time = `${component(hours, 0, 23)}:${component(minutes, 0, 59)}:00`;
  const line = (onDays: readonly number[], onWeekdays: readonly number[]): string => {
    const week = onWeekdays.length === 7 ? "" : `${runs(fromMonday(onWeekdays), (n) => WEEK[n] ?? "")} `;
    return `${week}*-${component(months, 1, 12)}-${component(onDays, 1, 31)} ${time}${placed(schedule, zone)}`;
  };
  if (!either) return [line(days, weekdays)];
  const [everyDay, everyWeekday] = [numbers(1, 31), numbers(0, 6)];
  if (weekdays.length === 7 || days.length === 31) return [line(everyDay, everyWeekday)];
  // A day that never comes has no line: the days of the week do.
  return [...(hasSuchDay(schedule) ? [line(days, everyWeekday)] : []), line(everyDay, weekdays)];
}

/**
 * The time zone behind a line. What is due at each quarter of an hour alike, at any hour of any day, is so in every zone (their offsets are
 * whole quarters): as UTC it is due as well in the hour that autumn repeats, which systemd leaves out in local time.
 */
function placed({ minutes, hours, days, months, weekdays, either }: CronSchedule, zone: string | undefined): string {
  const [allDays, allWeek] = [days.length === 31, weekdays.length === 7];
  const always = hours.length === 24 && months.length === 12 && (either ? allDays || allWeek : allDays && allWeek);
  if (always && minutes.every((m) => minutes.includes((m + 15) % 60))) return " UTC";
  return zone === undefined ? "" : ` ${zone}`;
}

/** 0 to 6 from Monday, for 0 to 6 from Sunday. */
function fromMonday(weekdays: readonly number[]): number[] {
  return weekdays.map((n) => (n + 6) % 7).sort((a, b) => a - b);
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** `*`, `0/15`, `1..5,9`. */
function component(values: readonly number[], min: number, max: number): string {
  if (values.length === max - min + 1) return "*";
  const [first = min, second = min] = values;
  const step = second - first;
  // As far as the end: systemd's `8/2` has none of its own.
  const steady = values.length > 2 && step > 1 && values.every((v, i) => v === first + i * step) && first + values.length * step > max;
  return steady ? `${first}/${step}` : runs(values, String);
}

/** Three neighbours and more are a range. */
function runs(values: readonly number[], shown: (n: number) => string): string {
  const parts: string[] = [];
  for (let i = 0; i < values.length; ) {
    let end = i;
    while (values[end + 1] === (values[end] ?? 0) + 1) end++;
    const own = values.slice(i, end + 1);
    parts.push(own.length > 2 ? `${shown(own[0] ?? 0)}..${shown(own.at(-1) ?? 0)}` : own.map((n) => shown(n)).join(","));
    i = end + 1;
  }
  return parts.join(",");
}
