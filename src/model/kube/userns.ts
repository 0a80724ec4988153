// The words that ask for a user namespace: podman's --userns (podman-run(1)), as far as a rootless pod can have it.
import { quote } from "../../spec/quote.js";
import type { Problem } from "../../spec/report.js";
import type { UsernsWish } from "../types.js";

const WORDS = ["shared", "keep-id", "keep-id:uid=N,gid=N", "auto", "auto:size=N", "nomap", "host"];

/** Options of modes that podman has and podgen has not: a word of its own says so. */
const REFUSED: Readonly<Record<string, string>> = {
  "auto:uidmapping": "podgen chooses the range itself",
  "auto:gidmapping": "podgen chooses the range itself",
  "keep-id:size": "the namespace has all of the user's ids",
};

/** The largest id there is; 4294967295 stands for none. */
const ID_MAX = 4294967294;

/** What the words ask for, or what is wrong with them. */
export function parseUserns(words: string): UsernsWish | Problem {
  const cut = words.indexOf(":");
  const mode = cut < 0 ? words : words.slice(0, cut);
  const pairs = cut < 0 ? [] : words.slice(cut + 1).split(",");
  // A rootless user cannot leave the user namespace that makes pods possible: podman's rootless host is that one too.
  if ((mode === "shared" || mode === "host") && cut < 0) return { mode: "shared" };
  if (mode === "nomap" && cut < 0) return { mode: "nomap" };
  if (mode === "keep-id") return withOptions(words, mode, pairs, ["uid", "gid"], 0);
  if (mode === "auto") return withOptions(words, mode, pairs, ["size"], 1);
  return unknown();
}

/** True for what parseUserns gives for words that mean nothing. */
export function isProblem(parsed: UsernsWish | Problem): parsed is Problem {
  return "problem" in parsed;
}

function withOptions(
  words: string,
  mode: "keep-id" | "auto",
  pairs: readonly string[],
  known: readonly string[],
  min: number,
): UsernsWish | Problem {
  const values = new Map<string, number>();
  for (const pair of pairs) {
    const [, key = "", digits = ""] = /^([a-z]+)=(.*)$/.exec(pair) ?? [];
    const why = REFUSED[`${mode}:${key}`];
    if (why !== undefined) return { code: "refused-value", problem: `is not supported: ${why}` };
    if (!known.includes(key) || values.has(key)) return unknown();
    const number = Number(digits);
    if (!/^\d{1,10}$/.test(digits) || number < min || number > ID_MAX)
      return { problem: `has ${quote(pair)}: expected a number from ${min} to ${ID_MAX}` };
    values.set(key, number);
  }
  if (words.endsWith(":")) return unknown();
  return { mode, ...Object.fromEntries(values) };
}

function unknown(): Problem {
  return { problem: `is none of ${WORDS.map(quote).join(", ")}` };
}
