// How a container ended, in a word: Kubernetes' own where it has one (ContainerStateTerminated.reason).

export type EndWord = "Completed" | "Error" | "OOMKilled" | "Watchdog";

/** What a container that the kernel has killed for its memory is said to have exited with: 128 and SIGKILL. */
export const OOM_EXIT_CODE = 137;

const WORDS: Readonly<Record<string, EndWord>> = { success: "Completed", "oom-kill": "OOMKilled", watchdog: "Watchdog" };

/** The word for a service's `Result` (systemd.exec(5), $SERVICE_RESULT). */
export function endWord(result: string): EndWord {
  return Object.hasOwn(WORDS, result) ? (WORDS[result] ?? "Error") : "Error";
}
