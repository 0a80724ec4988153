// Sets of completion indexes as text, `0,3-5`: successPolicy's succeededIndexes.
import type { Problem } from "../../../spec/report.js";

/** Kubernetes' own limit on the text. */
const MAX_LENGTH = 64 * 1024;
const PART = /^(\d{1,9})(?:-(\d{1,9}))?$/;
const HINT = "write numbers and ranges in rising order, with commas between: 0,3-5";

/** From and to, both included, in rising order. */
export type IndexRange = readonly [from: number, to: number];

/** The ranges, or what is wrong with them. */
export function parseIndexes(text: string): readonly IndexRange[] | Problem {
  if (text.length > MAX_LENGTH) return { problem: `has ${text.length} characters; ${MAX_LENGTH} are possible` };
  const ranges: IndexRange[] = [];
  for (const part of text.split(",")) {
    const [, first, last] = PART.exec(part) ?? [];
    if (first === undefined) return { problem: "is no list of indexes", hint: HINT };
    const [from, to] = [Number(first), Number(last ?? first)];
    // Without doubles and overlaps, as Kubernetes wants it.
    if (to < from || from <= (ranges.at(-1)?.[1] ?? -1)) return { problem: "is not in rising order", hint: HINT };
    ranges.push([from, to]);
  }
  return ranges;
}

/** For the field table. */
export function indexes(text: string): Problem | undefined {
  const parsed = parseIndexes(text);
  return "problem" in parsed ? parsed : undefined;
}
