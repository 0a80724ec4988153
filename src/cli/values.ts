// The values of options that are not plain text: durations and counts, for both parsers of the command line.
import type { OptionSpec } from "./commands.js";
import { EXIT, UserError } from "./exit.js";

/** Seconds per unit of a duration; a number alone is seconds. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** Timers of Node.js end at once beyond some 24 days; nobody waits for a pod longer than this. Seconds. */
const LONGEST = 24 * 3600;

/** Seconds of `90`, `0.5`, `10s`, `2m`, `1h`; undefined for what is none, 0, or longer than 24 h. */
function seconds(text: string): number | undefined {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? 1);
  return value > 0 && value <= LONGEST ? value : undefined;
}

/** A whole number from 0 on, small enough for journalctl; undefined for what is none. */
function count(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

const READ = {
  duration: { read: seconds, expected: "more than 0 and at most 24 h: seconds, or a number with s, m or h (90, 10s, 2m)" },
  count: { read: count, expected: "a whole number, 0 or more" },
};

/** The value an option's text stands for: a number for durations (in seconds) and counts. Throws UserError (64) with option and text. */
export function readValue(option: OptionSpec, text: string): string | number {
  if (option.type !== "duration" && option.type !== "count") return text;
  const { read, expected } = READ[option.type];
  const value = read(text);
  if (value === undefined) throw new UserError(`--${option.name} ${text}: expected ${expected}`, EXIT.usage);
  return value;
}
