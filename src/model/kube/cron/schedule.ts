// CronJob.spec.schedule: five fields, or a word like @daily, as Kubernetes reads them (robfig/cron v3, ParseStandard).
import { type CronSchedule, hasSuchDay } from "../../../base/cron.js";
import { quote } from "../../../spec/quote.js";
import type { Problem } from "../../../spec/report.js";

/** One of the five. */
interface FieldRule {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  /** Words for numbers, from `min` on. */
  readonly names?: readonly string[];
  /** What people write who know another cron. */
  readonly instead?: Readonly<Record<string, string>>;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MINUTE: FieldRule = { what: "minute", min: 0, max: 59 };
const HOUR: FieldRule = { what: "hour", min: 0, max: 23, instead: { 24: "write 0 for midnight" } };
const DAY: FieldRule = { what: "day of the month", min: 1, max: 31 };
const MONTH: FieldRule = { what: "month", min: 1, max: 12, names: MONTHS };
const WEEKDAY: FieldRule = { what: "day of the week", min: 0, max: 6, names: WEEKDAYS, instead: { 7: "write 0 for Sunday" } };

const WORDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const HINT = "write minute, hour, day of the month, month and day of the week: 30 3 * * 1-5 is half past three on weekdays";

/** What is wrong, in a word that tells it from a schedule. */
type Read<T> = { readonly value: T } | Problem;

function failed(read: Read<unknown>): read is Problem {
  return "problem" in read;
}

/** The schedule, or what is wrong with it. */
export function readSchedule(text: string): Read<CronSchedule> {
  const trimmed = text.trim();
  if (/^(CRON_)?TZ=/.test(trimmed)) return { problem: "has a time zone in it", hint: "write it as timeZone, as Kubernetes wants it" };
  if (trimmed.startsWith("@every")) return every(trimmed);
  // As own property only: nobody means @constructor.
  const five = Object.hasOwn(WORDS, trimmed) ? (WORDS[trimmed] ?? "") : trimmed;
  if (five.startsWith("@")) return { problem: "is no such word", hint: `write one of ${Object.keys(WORDS).join(", ")}` };
  const fields = five.split(/\s+/);
  if (fields.length !== 5 || five === "") return { problem: `has ${five === "" ? 0 : fields.length} fields, not five`, hint: HINT };
  return together(fields);
}

/** For the field table. */
export function schedule(text: string): Problem | undefined {
  const read = readSchedule(text);
  return failed(read) ? read : undefined;
}

function together(fields: readonly string[]): Read<CronSchedule> {
  const read = [MINUTE, HOUR, DAY, MONTH, WEEKDAY].map((rule, i) => readField(fields[i] ?? "", rule));
  const bad = read.find(failed);
  if (bad !== undefined) return bad;
  const values = read.flatMap((r) => (failed(r) ? [] : [r.value]));
  const [minutes, hours, days, months, weekdays] = values.map((v) => v.numbers);
  const either = values.every((v, i) => (i !== 2 && i !== 4) || !v.open);
  const found = { minutes: minutes ?? [], hours: hours ?? [], days: days ?? [], months: months ?? [], weekdays: weekdays ?? [], either };
  return either || hasSuchDay(found) ? { value: found } : { problem: "never comes: none of its months has such a day" };
}

interface FieldValue {
  readonly numbers: readonly number[];
  /** It says nothing: then the other field of days alone decides. With a step it says something. */
  readonly open: boolean;
}

/** A list of what readRange takes, with commas between. */
function readField(text: string, rule: FieldRule): Read<FieldValue> {
  const numbers = new Set<number>();
  let open = false;
  for (const part of text.split(",")) {
    const range = readRange(part, rule);
    if (failed(range)) return { ...range, problem: `is no schedule: ${rule.what} ${quote(text)}: ${range.problem}` };
    const { from, to, step } = range.value;
    for (let n = from; n <= to; n += step) numbers.add(n);
    open ||= range.value.open;
  }
  return { value: { numbers: [...numbers].sort((a, b) => a - b), open } };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly open: boolean;
}

/** `5`, `1-5`, `*`, `?`; with a step behind: `*` + `/2`, `8-18/2`, and `8/2`, which goes on to the end. */
function readRange(text: string, rule: FieldRule): Read<Range> {
  const [span = "", stepText, ...more] = text.split("/");
  if (more.length > 0) return { problem: "it has more than one /" };
  const step = stepText === undefined ? 1 : /^\d{1,3}$/.test(stepText) ? Number(stepText) : 0;
  if (step === 0) return { problem: `the step ${quote(stepText ?? "")} is no number from 1 on` };
  // As in Kubernetes, */2 restricts the days, and */1 does not.
  if (span === "*" || span === "?") return { value: { from: rule.min, to: rule.max, step, open: step === 1 } };
  const ends = span.split("-");
  if (ends.length > 2) return { problem: "it has more than one -" };
  const [from, to] = ends.map((end) => readNumber(end, rule));
  if (from === undefined || failed(from)) return from ?? { problem: "" };
  if (to !== undefined && failed(to)) return to;
  const last = to?.value ?? (stepText === undefined ? from.value : rule.max);
  if (from.value > last) return { problem: "it ends before it begins", hint: `write two ranges: ${wrapped(ends, rule)}` };
  return { value: { from: from.value, to: last, step, open: false } };
}

/** `fri-mon` as Kubernetes takes it. */
function wrapped([from = "", to = ""]: readonly string[], { min, max, names }: FieldRule): string {
  const shown = (n: number): string => (names === undefined || /^\d/.test(from) ? String(n) : (names[n - min] ?? String(n)));
  return `${from}-${shown(max)},${shown(min)}-${to}`;
}

function readNumber(text: string, { what, min, max, names, instead = {} }: FieldRule): Read<number> {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return { value: min + named };
  const words = names === undefined ? "" : `, or ${names[0]} to ${names.at(-1)}`;
  const wanted = `it takes ${min} to ${max}${words}`;
  if (!/^\d{1,9}$/.test(text)) {
    const special = /^(\d+[LW]|[LW]|\w+#\d+)$/i.test(text);
    return {
      problem: text === "" ? "a number is missing" : `${quote(text)} is no ${what}${special ? " that Kubernetes knows" : ""}`,
      hint: wanted,
    };
  }
  const number = Number(text);
  if (number >= min && number <= max) return { value: number };
  return { problem: `there is no ${what} ${number}`, hint: Object.hasOwn(instead, text) ? (instead[text] ?? wanted) : wanted };
}

/** Counted from when the CronJob was made, which a calendar does not know. */
function every(text: string): Problem {
  const [, number = "", unit] = /^@every\s+(\d{1,4})(m|h)(?:0m)?(?:0s)?$/.exec(text) ?? [];
  const n = Number(number);
  const whole = unit === "m" ? 60 % n === 0 : unit === "h" && 24 % n === 0;
  const better = unit === "m" ? (n === 60 ? "0 * * * *" : `*/${n} * * * *`) : n === 24 ? "0 0 * * *" : `0 */${n} * * *`;
  return {
    code: "refused-value",
    problem: "is not supported: it counts from when the object was made, and podgen's timers are of the calendar",
    hint: whole ? `write ${better}` : "write five fields of cron(5)",
  };
}

/** A name of the time zone database, as far as its form goes. */
export function timeZone(text: string): Problem | undefined {
  if (text.toLowerCase() === "local")
    return { problem: "is no time zone that Kubernetes takes", hint: "leave timeZone out: it is the host's then" };
  const hint = "write one like Europe/Berlin or Etc/UTC";
  // systemd's rule, timezone_is_valid: such words become a path.
  if (/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(text) && text.length <= 100) return undefined;
  return {
    problem: text === "" ? "is empty" : "is not the name of a time zone",
    hint: text === "" ? "leave timeZone out: it is the host's then" : hint,
  };
}
