// A seccomp profile of the user's own: a file that was read beforehand, judged here; podrt compiles it at each start.
import type { Container } from "../model/types.js";
import { type PodContext, refuse } from "./context.js";

const ACTIONS = "KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG".split(" ").map((name) => `SCMP_ACT_${name}`);

/** It is part of the bundle, of which podrt reads no more than a few times that. */
const LARGEST = 1024 * 1024;

/** Where the files are, below podgen's settings. */
export function seccompPath(settings: string, file: string): string {
  return `${settings}/seccomp/${file.replace(/^\.?\/+/, "")}`;
}

/** The profile's text as one line of JSON; undefined where the container has none of its own, or one that cannot be used, which is refused. */
export function seccompProfile(context: PodContext, container: Container): string | undefined {
  const { seccompFile } = container.security;
  if (seccompFile === undefined) return undefined;
  const path = seccompPath(context.facts.paths.settings, seccompFile);
  const bytes = context.profiles.get(path);
  const say = (code: string, problem: string, hint?: string): undefined =>
    refuse(context, code, container.at, `container "${container.name}": seccomp profile ${path}: ${problem}`, hint) as undefined;
  if (bytes === undefined) return say("missing-profile", "there is no such file", "localhostProfile is a path below that folder");
  if (bytes.length > LARGEST) return say("bad-profile", `has ${bytes.length} bytes; ${LARGEST} is the most`);
  let profile: unknown;
  try {
    profile = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return say("bad-profile", `is no JSON: ${(error as Error).message}`);
  }
  const problem = problemOf(profile);
  return problem === undefined ? compact(new TextDecoder().decode(bytes)) : say("bad-profile", problem);
}

/** Without its line ends and indentation: numbers stay as they were written, which may be larger than JavaScript's. */
function compact(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (part) => (part.startsWith('"') ? part : ""));
}

function problemOf(profile: unknown): string | undefined {
  if (!isObject(profile)) return "is no object";
  const bad = (at: string, action: unknown): string | undefined =>
    action === "SCMP_ACT_NOTIFY"
      ? `${at}: SCMP_ACT_NOTIFY is not supported: there is no agent to ask`
      : typeof action === "string" && ACTIONS.includes(action)
        ? undefined
        : `${at}: expected one of ${ACTIONS.join(", ")}`;
  const { defaultAction, syscalls = [] } = profile;
  if (!Array.isArray(syscalls)) return "syscalls: expected a list";
  return [
    bad("defaultAction", defaultAction),
    ...syscalls.map((rule: unknown, i) => {
      if (!isObject(rule)) return `syscalls[${i}]: expected an object`;
      const { names } = rule;
      if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
        return `syscalls[${i}].names: expected a list of names`;
      return bad(`syscalls[${i}].action`, rule["action"]);
    }),
  ].find((problem) => problem !== undefined);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
