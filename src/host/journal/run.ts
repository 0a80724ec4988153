// journalctl, run for its lines of JSON.
import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { JournalError, journalError } from "./errors.js";

/** How much of journalctl's stderr is kept. */
const MAX_COMPLAINT = 8192;

/** One line of JSON per entry, as it comes. An abort ends the iteration without an error. Throws JournalError. */
export async function* journalJson(
  env: NodeJS.ProcessEnv,
  fields: readonly string[],
  words: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const args = ["--output", "json", "--all", "--no-pager", "--quiet", "--output-fields", fields.join(","), ...words];
  const child = spawn("journalctl", args, {
    env: { ...env, LC_ALL: "C.UTF-8", SYSTEMD_COLORS: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    complaint = (complaint + chunk).slice(0, MAX_COMPLAINT);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Looked at after the lines; a failure to start must not be unhandled until then.
  ended.catch(() => undefined);
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  let whole = false;
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    whole = true;
  } finally {
    signal?.removeEventListener("abort", stop);
    // The reader had enough, or an error passes through: nobody reads the rest.
    if (!whole) stop();
  }
  const error = signal?.aborted ? undefined : journalError(await startedOr(ended), complaint, userInfo().username);
  if (error) throw error;
}

async function startedOr(ended: Promise<number | null>): Promise<number | null> {
  try {
    return await ended;
  } catch (error) {
    throw new JournalError("journal-failed", `cannot run journalctl: ${String(error)}`, "install systemd's journalctl", error);
  }
}
