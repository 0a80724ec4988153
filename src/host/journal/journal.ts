// The journal behind ports/journal.ts, read with journalctl.
import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import type { Journal, LogLine, LogQuery } from "../../ports/journal.js";
import { type Entry, FIELDS, parseEntry } from "./entry.js";
import { JournalError, journalError } from "./errors.js";

/** How much of journalctl's stderr is kept. */
const MAX_COMPLAINT = 8192;

export class Journalctl implements Journal {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /**
   * Lines the units wrote, in order; not what the manager says about them. Throws JournalError. An abort ends the
   * iteration without an error.
   */
  async *read(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine> {
    if (query.units.length === 0 || signal?.aborted) return;
    const since = query.since === undefined ? [] : ["--since", query.since];
    if (query.lines === undefined) {
      yield* lines(this.#entries(query, [...since, ...(query.follow ? ["--follow", "--no-tail"] : [])], signal));
      return;
    }
    const last = await this.#last(query, query.lines, since, signal);
    yield* lines(last);
    if (!query.follow || signal?.aborted) return;
    // From the last line on, or if there was none from now on: every later line is new.
    const from = last.at(-1)?.cursor;
    yield* lines(this.#entries(query, ["--follow", ...(from ? ["--no-tail", "--after-cursor", from] : ["--lines", "0"])], signal));
  }

  /** The last `count` lines. Read backwards and counted here, since journalctl's own count has the manager's remarks in it. */
  async #last(query: LogQuery, count: number, since: readonly string[], signal: AbortSignal | undefined): Promise<Entry[]> {
    const found: Entry[] = [];
    if (count <= 0) return found;
    for await (const entry of this.#entries(query, [...since, "--reverse"], signal)) {
      if (found.push(entry) >= count) break;
    }
    return found.reverse();
  }

  async *#entries(query: LogQuery, options: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<Entry> {
    const units = new Set(query.units);
    // --user-unit looks in persistent and in volatile journals; --user would open only per-user files (UNITS.md 6).
    const matches = query.units.flatMap((unit) => ["--user-unit", unit]);
    const args = ["--output", "json", "--all", "--no-pager", "--quiet", "--output-fields", FIELDS.join(","), ...matches, ...options];
    const child = spawn("journalctl", args, {
      env: { ...this.#env, LC_ALL: "C.UTF-8", SYSTEMD_COLORS: "0" },
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
      for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
        const entry = parseEntry(line, units);
        if (entry) yield entry;
      }
      whole = true;
    } finally {
      signal?.removeEventListener("abort", stop);
      // The reader had enough, or an error passes through: nobody reads the rest.
      if (!whole) stop();
    }
    const error = signal?.aborted ? undefined : journalError(await startedOr(ended), complaint, userInfo().username);
    if (error) throw error;
  }
}

async function startedOr(ended: Promise<number | null>): Promise<number | null> {
  try {
    return await ended;
  } catch (error) {
    throw new JournalError("journal-failed", `cannot run journalctl: ${String(error)}`, "install systemd's journalctl", error);
  }
}

async function* lines(entries: AsyncIterable<Entry> | Iterable<Entry>): AsyncGenerator<LogLine> {
  for await (const { cursor: _, ...line } of entries) yield line;
}
