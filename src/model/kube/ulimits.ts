// Limits of processes as podman writes them: nofile=1024:2048,core=-1.
import { suggest } from "../../base/suggest.js";
import { quote } from "../../spec/quote.js";
import type { Problem } from "../../spec/report.js";
import type { Ulimit } from "../types.js";

/** Names of getrlimit(2), without RLIMIT_. */
const NAMES = "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" ");

/** All of them, or what is wrong with the first that is not one. */
export function parseUlimits(text: string): { readonly limits: readonly Ulimit[] } | Problem {
  const limits: Ulimit[] = [];
  for (const word of text.split(",").map((w) => w.trim())) {
    const [, name = "", soft, hard = soft] = /^([a-z]+)=(-1|unlimited|\d{1,15})(?::(-1|unlimited|\d{1,15}))?$/.exec(word) ?? [];
    if (soft === undefined || hard === undefined) return { problem: `has ${quote(word)}, which is not NAME=SOFT:HARD` };
    if (!NAMES.includes(name)) {
      const near = suggest(name, NAMES);
      return {
        problem: `names ${quote(name)}, which is no limit of getrlimit(2)${near === undefined ? "" : `, did you mean ${quote(near.word)}?`}`,
      };
    }
    if (limits.some((l) => l.name === name)) return { problem: `says ${quote(name)} twice` };
    const limit = { name, soft: number(soft), hard: number(hard) };
    if (limit.hard >= 0 && (limit.soft < 0 || limit.soft > limit.hard))
      return { problem: `has ${quote(word)}, whose soft limit is more than the hard one` };
    limits.push(limit);
  }
  return { limits };
}

/** -1: none. */
function number(word: string): number {
  return word === "unlimited" ? -1 : Number(word);
}
