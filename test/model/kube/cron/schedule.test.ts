// Schedules: what Kubernetes takes, what they mean, and what is said of those it does not take.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSchedule, timeZone } from "../../../../src/model/kube/cron/schedule.js";

/** Numbers as runs: `1-5,9`. */
function shown(numbers: readonly number[]): string {
  const parts: string[] = [];
  numbers.forEach((n, i) => {
    if (numbers[i - 1] === n - 1 && parts.length > 0) parts.push(`${parts.pop()?.split("-")[0]}-${n}`);
    else parts.push(String(n));
  });
  return parts.join(",");
}

test("fields, words, names, ranges, steps and lists", () => {
  for (const [text, minutes, hours, days, months, weekdays, either] of [
    ["* * * * *", "0-59", "0-23", "1-31", "1-12", "0-6", false],
    ["  5 4\t* * ? ", "5", "4", "1-31", "1-12", "0-6", false],
    ["*/15 8-18/2 1,15 jan-mar,DEC mon-FRI", "0,15,30,45", "8,10,12,14,16,18", "1,15", "1-3,12", "1-5", true],
    ["50/4 22/1 * * sun", "50,54,58", "22-23", "1-31", "1-12", "0", false],
    ["0 0 13 * 5", "0", "0", "13", "1-12", "5", true],
    // With a step the field says something, as robfig/cron has it; without one, or with 1, nothing.
    ["0 0 */2 * 1", "0", "0", "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31", "1-12", "1", true],
    ["0 0 */1 * 1", "0", "0", "1-31", "1-12", "1", false],
    ["0 0 1-31 * 1", "0", "0", "1-31", "1-12", "1", true],
    ["0 0 5,* * 1", "0", "0", "1-31", "1-12", "1", false],
    ["0 0 30 2 1", "0", "0", "30", "2", "1", true],
    ["0 0 29 2 *", "0", "0", "29", "2", "0-6", false],
    ["007 0 * * *", "7", "0", "1-31", "1-12", "0-6", false],
    ["@yearly", "0", "0", "1", "1", "0-6", false],
    ["@annually", "0", "0", "1", "1", "0-6", false],
    ["@monthly", "0", "0", "1", "1-12", "0-6", false],
    ["@weekly", "0", "0", "1-31", "1-12", "0", false],
    ["@daily", "0", "0", "1-31", "1-12", "0-6", false],
    ["@midnight", "0", "0", "1-31", "1-12", "0-6", false],
    ["@hourly", "0", "0-23", "1-31", "1-12", "0-6", false],
  ] as const) {
    const read = readSchedule(text);
    assert.ok("value" in read, `${text}: ${JSON.stringify(read)}`);
    const found = read.value;
    const fields = [found.minutes, found.hours, found.days, found.months, found.weekdays].map(shown);
    assert.deepEqual([...fields, found.either], [minutes, hours, days, months, weekdays, either], text);
  }
});

test("what is none, and what to write", () => {
  for (const [text, problem, hint] of [
    ["", /has 0 fields, not five/, /30 3/],
    ["* * * *", /has 4 fields/, /30 3/],
    ["0 0 * * * *", /has 6 fields/, /30 3/],
    ["60 * * * *", /minute "60": there is no minute 60/, /0 to 59/],
    ["* 24 * * *", /no hour 24/, /write 0 for midnight/],
    ["* * 0 * *", /no day of the month 0/, /1 to 31/],
    ["* * * 13 *", /no month 13/, /1 to 12, or jan to dec/],
    ["* * * * 7", /no day of the week 7/, /write 0 for Sunday/],
    ["* * * * 5-7", /no day of the week 7/, /write 0 for Sunday/],
    ["* * * * fri-mon", /ends before it begins/, /fri-sat,sun-mon/],
    ["0 22-4 * * *", /ends before it begins/, /22-23,0-4/],
    ["*/0 * * * *", /step "0"/, undefined],
    ["*/x * * * *", /step "x"/, undefined],
    ["1-2-3 * * * *", /more than one -/, undefined],
    ["1/2/3 * * * *", /more than one \//, undefined],
    ["1,,2 * * * *", /a number is missing/, /0 to 59/],
    ["-5 * * * *", /a number is missing/, /0 to 59/],
    ["+5 * * * *", /"\+5" is no minute/, /0 to 59/],
    ["0 0 L * *", /"L" is no day of the month that Kubernetes knows/, /1 to 31/],
    ["0 0 * * 5#2", /"5#2" is no day of the week that Kubernetes knows/, /sun to sat/],
    ["0 0 * * monday", /"monday" is no day of the week/, /sun to sat/],
    ["0 0 30 2 *", /never comes/, undefined],
    ["0 0 31 2,4,6,9,11 *", /never comes/, undefined],
    ["TZ=Europe/Berlin 0 3 * * *", /has a time zone in it/, /timeZone/],
    ["CRON_TZ=UTC 0 3 * * *", /has a time zone in it/, /timeZone/],
    ["@reboot", /no such word/, /@hourly/],
    ["@constructor", /no such word/, /@hourly/],
    ["@every 5m", /not supported/, /write \*\/5 \* \* \* \*$/],
    ["@every 1h", /not supported/, /write 0 \*\/1 \* \* \*$/],
    ["@every 60m", /not supported/, /write 0 \* \* \* \*$/],
    ["@every 24h0m0s", /not supported/, /write 0 0 \* \* \*$/],
    ["@every 7m", /not supported/, /five fields/],
    ["@every 1h30m", /not supported/, /five fields/],
  ] as const) {
    const read = readSchedule(text);
    assert.ok("problem" in read, text);
    assert.match(read.problem, problem, text);
    if (hint === undefined) continue;
    assert.match(read.hint ?? "", hint, text);
  }
});

test("names of time zones, by their form", () => {
  for (const good of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Ho_Chi_Minh"])
    assert.equal(timeZone(good), undefined, good);
  for (const bad of ["", "Local", "local", "/etc/localtime", "Europe//Berlin", "Europe/", "../etc/passwd", "Europe/Berlin UTC", "Zürich"])
    assert.ok(timeZone(bad) !== undefined, bad);
});
