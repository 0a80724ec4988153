// OnCalendar= lines: their text, and what systemd makes of them against cron's own rules, tried minute by minute.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { CronSchedule } from "../../../src/base/cron.js";
import { readSchedule } from "../../../src/model/kube/cron/schedule.js";
import { calendarLines } from "../../../src/render/units/calendar.js";

function scheduleOf(text: string): CronSchedule {
  const read = readSchedule(text);
  assert.ok("value" in read, `${text}: ${JSON.stringify(read)}`);
  return read.value;
}

test("lines", () => {
  for (const [text, zone, ...lines] of [
    ["30 3 * * *", undefined, "*-*-* 3:30:00"],
    ["30 3 * * 1-5", "Europe/Berlin", "Mon..Fri *-*-* 3:30:00 Europe/Berlin"],
    ["0 0 * * sun,mon,sat", undefined, "Mon,Sat,Sun *-*-* 0:0:00"],
    ["0 0 * * sun,fri,sat", undefined, "Fri..Sun *-*-* 0:0:00"],
    ["0 9-17 * 1,2,6-9 *", undefined, "*-1,2,6..9-* 9..17:0:00"],
    ["10/20 */6 */2 * *", undefined, "*-*-1/2 0/6:10/20:00"],
    ["0-30/10 * * * *", undefined, "*-*-* *:0,10,20,30:00"],
    // One of both is enough.
    ["0 0 13 * 5", "UTC", "*-*-13 0:0:00 UTC", "Fri *-*-* 0:0:00 UTC"],
    ["0 0 1-31 * 5", undefined, "*-*-* 0:0:00"],
    ["0 0 30 2 5", undefined, "Fri *-2-* 0:0:00"],
    // The same in every zone.
    ["*/5 * * * *", "Europe/Berlin", "*-*-* *:0/5:00 UTC"],
    ["* * * * *", undefined, "*-*-* *:*:00 UTC"],
    ["*/10 * * * *", "Europe/Berlin", "*-*-* *:0/10:00 Europe/Berlin"],
    ["*/5 * * * 1", "Europe/Berlin", "Mon *-*-* *:0/5:00 Europe/Berlin"],
  ] as const)
    assert.deepEqual(calendarLines(scheduleOf(text), zone), lines, text);
});

/** Whether a field of cron holds a number: its text against the number, and no list of numbers is made. */
function holds(field: string, n: number, min: number, names: readonly string[] = []): boolean {
  const value = (word: string): number => (names.includes(word.toLowerCase()) ? names.indexOf(word.toLowerCase()) + min : Number(word));
  return field.split(",").some((part) => {
    const [span = "", step] = part.split("/");
    if (span === "*") return (n - min) % Number(step ?? 1) === 0;
    const [from = "", to] = span.split("-");
    const last = to === undefined ? (step === undefined ? value(from) : 99) : value(to);
    return n >= value(from) && n <= last && (n - value(from)) % Number(step ?? 1) === 0;
  });
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DAY_MS = 86_400_000;

/** The next `count` times after `base`, in UTC, by cron's rules. */
function nextTimes(text: string, base: number, count: number): number[] {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = text.split(" ");
  const free = (field: string): boolean => field.split(",").some((part) => part === "*" || part === "*/1");
  const found: number[] = [];
  for (let at = base - (base % DAY_MS); found.length < count && at < base + 7000 * DAY_MS; at += DAY_MS) {
    const date = new Date(at);
    const [byDay, byWeek] = [holds(day, date.getUTCDate(), 1), holds(weekday, date.getUTCDay(), 0, WEEKDAYS)];
    const fits = free(day) || free(weekday) ? byDay && byWeek : byDay || byWeek;
    if (!fits || !holds(month, date.getUTCMonth() + 1, 1, MONTHS)) continue;
    for (let h = 0; h < 24; h++)
      for (let m = 0; m < 60; m++) {
        const time = at + h * 3_600_000 + m * 60_000;
        if (time > base && holds(hour, h, 0) && holds(minute, m, 0)) found.push(time);
      }
  }
  return found.slice(0, count);
}

/** A generator that gives the same each time. */
function* randoms(): Generator<number, never> {
  for (let x = 20260101; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x / 2 ** 32;
  }
}

const COUNT = 4;

test("systemd starts them when cron would: 400 schedules, by systemd-analyze calendar", () => {
  const source = randoms();
  const below = (n: number): number => Math.floor(source.next().value * n);
  const field = (min: number, max: number, names: readonly string[] = []): string => {
    const number = (low: number, high: number): number => low + below(high - low + 1);
    const word = (n: number): string => (names.length > 0 && below(2) === 0 ? (names[n - min] ?? "") : String(n));
    const range = (): string => {
      const from = number(min, max);
      return `${word(from)}-${word(number(from, max))}`;
    };
    const part = (): string => {
      const kind = below(5);
      if (kind === 0) return word(number(min, max));
      if (kind === 1) return range();
      if (kind === 2) return `*/${number(1, 12)}`;
      return kind === 3 ? `${range()}/${number(1, 7)}` : `${word(number(min, max))}/${number(1, 9)}`;
    };
    return below(3) === 0 ? "*" : Array.from({ length: 1 + below(3) }, part).join(",");
  };
  const texts = ["0 0 29 2 *", "0 0 31 * *", "59 23 31 12 *", "0 0 30 2 fri", "0 0 13 * 5", "0 0 */2 * 1", "*/7 */5 */3 */4 */2"];
  while (texts.length < 400) {
    const text = [field(0, 59), field(0, 23), field(1, 31), field(1, 12, MONTHS), field(0, 6, WEEKDAYS)].join(" ");
    if ("value" in readSchedule(text)) texts.push(text);
  }
  const base = Date.UTC(2027, 1, 27, 22, 31, 40);
  const lines = texts.map((text) => calendarLines(scheduleOf(text), "UTC"));
  const words = ["calendar", `--base-time=@${base / 1000}`, `--iterations=${COUNT}`, ...lines.flat()];
  const output = execFileSync("systemd-analyze", words, { encoding: "utf8", env: { ...process.env, TZ: "UTC", LC_ALL: "C" } });
  const blocks = output
    .split("\n\n")
    .map((block) =>
      [...block.matchAll(/(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)].map(([, date, time]) =>
        Date.parse(`${date}T${time}Z`),
      ),
    );
  assert.equal(blocks.length, lines.flat().length, output.slice(0, 400));
  let block = 0;
  texts.forEach((text, i) => {
    const own = lines[i] ?? [];
    const times = [...new Set(blocks.slice(block, block + own.length).flat())].sort((a, b) => a - b).slice(0, COUNT);
    block += own.length;
    assert.deepEqual(
      times.map((t) => new Date(t).toISOString()),
      nextTimes(text, base, COUNT).map((t) => new Date(t).toISOString()),
      `${text} is ${own.join(" and ")}`,
    );
  });
});

test("where a clock is put forward or back: what man/podgen-kube.5 says of it is what systemd does", () => {
  const times = (text: string, base: string): string[] => {
    const words = ["calendar", `--base-time=${base}`, "--iterations=3", ...calendarLines(scheduleOf(text), "Europe/Berlin")];
    const output = execFileSync("systemd-analyze", words, { encoding: "utf8", env: { ...process.env, TZ: "UTC", LC_ALL: "C" } });
    return [...output.matchAll(/: \w+ \d{4}-(\d\d-\d\d \d\d:\d\d):00 UTC/g)].map(([, time = ""]) => time);
  };
  // The hour from 2 to 3 that spring leaves out: not at all that day.
  assert.deepEqual(times("30 2 * * *", "2027-03-27 12:00:00 UTC"), ["03-29 00:30", "03-30 00:30", "03-31 00:30"]);
  // The hour from 2 to 3 that autumn has twice: once.
  assert.deepEqual(times("30 2 * * *", "2027-10-30 12:00:00 UTC"), ["10-31 00:30", "11-01 01:30", "11-02 01:30"]);
  // Every five minutes of it, too.
  assert.deepEqual(times("*/5 * * * *", "2027-10-31 00:54:00 UTC"), ["10-31 00:55", "10-31 01:00", "10-31 01:05"]);
});
