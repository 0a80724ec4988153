// One entry of `journalctl -o json` as a line of a unit; pure.
import type { LogLine } from "../../ports/journal.js";

/** What is asked of journalctl; the rest of an entry would only be thrown away. */
export const FIELDS = ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "USER_UNIT", "_SYSTEMD_USER_UNIT"];

/** A field that is there several times is an array of its values; bytes that are no text come as numbers (systemd.journal-fields(7)). */
export function fieldText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  if (value.every((byte) => typeof byte === "number")) return Buffer.from(value).toString("utf8");
  return fieldText(value[0]);
}

export interface Entry extends LogLine {
  readonly cursor: string;
}

/**
 * The line, or undefined when it is not one of a unit's own: the manager's remarks on a unit ("Started …") carry its
 * name in USER_UNIT as the payload's lines do, but come from the manager, with its identifier. Broken JSON is no line
 * either: a killed journalctl may end in the middle of one.
 */
export function parseEntry(json: string, units: ReadonlySet<string>): Entry | undefined {
  const fields = parseObject(json);
  if (!fields) return undefined;
  const named = fieldText(fields["USER_UNIT"]);
  const sender = fieldText(fields["_SYSTEMD_USER_UNIT"]);
  const identifier = fieldText(fields["SYSLOG_IDENTIFIER"]);
  const unit = units.has(named) ? named : units.has(sender) ? sender : undefined;
  if (unit === undefined || (sender !== unit && identifier === "systemd")) return undefined;
  const priority = Number.parseInt(fieldText(fields["PRIORITY"]), 10);
  return {
    time: Number(fieldText(fields["__REALTIME_TIMESTAMP"])),
    unit,
    identifier,
    priority: Number.isNaN(priority) ? 6 : priority,
    message: fieldText(fields["MESSAGE"]),
    cursor: fieldText(fields["__CURSOR"]),
  };
}

/** Undefined for what is no JSON object. */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
