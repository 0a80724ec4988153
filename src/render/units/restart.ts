// When systemd starts a container again, and what of that podrt has to know.
import type { PlannedContainer } from "../../plan/types.js";
import type { Values } from "./template.js";

export const RESTART = { Always: "always", OnFailure: "on-failure", Never: "no" } as const;

/** systemd takes death by these for success; for Kubernetes it is a failure. */
const CLEAN_SIGNALS = "SIGHUP SIGINT SIGTERM SIGPIPE";
const SIGNALS = 64;
/** Kubernetes' exit code of a container that a signal has killed is this and its number. */
const KILLED = 128;
const RTMIN = 34;

/** RestartForceExitStatus= of a container. */
export function restartForce({ restartPolicy, restartCodes = [] }: PlannedContainer): string | undefined {
  if (restartPolicy === "Always") return undefined;
  const clean = restartPolicy === "OnFailure" ? CLEAN_SIGNALS.split(" ") : [];
  const words = new Set([...clean, ...restartCodes.flatMap(statusWords)]);
  return words.size === 0 ? undefined : [...words].join(" ");
}

/**
 * Of an init container, which is done when it has succeeded, whatever the policy. A oneshot cannot force its restart: what is no reason
 * for one is said instead.
 */
export function restartInit({ restartPolicy, restartCodes }: PlannedContainer): Values {
  const byCode = restartPolicy === "Never" && restartCodes !== undefined;
  const not = Array.from({ length: 255 }, (_, i) => i + 1).filter((code) => !restartCodes?.includes(code));
  return {
    RESTART: restartPolicy === "Never" && !byCode ? "no" : "on-failure",
    RESTART_PREVENT: byCode ? not.flatMap(statusWords).join(" ") : undefined,
  };
}

/** What `podrt mark --ended` has to know to tell an end for good from one before a restart; nothing where there is always another. */
export function finalWords({ init, restartPolicy, restartCodes }: PlannedContainer): string[] {
  const codes = restartCodes === undefined ? [] : ["--codes", ranges(restartCodes)];
  if (init) return restartPolicy === "Never" ? ["--init", "--restart", "no", ...codes] : [];
  return restartPolicy === "Always" ? [] : ["--restart", RESTART[restartPolicy], ...codes];
}

function statusWords(code: number): string[] {
  const signal = code - KILLED;
  return signal < 1 || signal > SIGNALS ? [String(code)] : [String(code), signalWord(signal)];
}

/** By number up to SIGSYS, which is the same on all machines that podgen runs on. */
const NAMES = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU " +
  "XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

function signalWord(signal: number): string {
  if (signal >= RTMIN) return signal === RTMIN ? "SIGRTMIN" : `SIGRTMIN+${signal - RTMIN}`;
  return signal <= NAMES.length ? `SIG${NAMES[signal - 1]}` : String(KILLED + signal);
}

/** `1-41,43`. */
function ranges(codes: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const code of codes) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else parts.push([code, code]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}
