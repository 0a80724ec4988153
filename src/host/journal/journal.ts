// The journal behind ports/journal.ts, read with journalctl.
import type { Journal, LogLine, LogQuery, Remark, RemarkQuery } from "../../ports/journal.js";
import { type Entry, FIELDS, parseEntry } from "./entry.js";
import { readRemarks } from "./remarks.js";
import { journalJson } from "./run.js";

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

  remarks(query: RemarkQuery, signal?: AbortSignal): AsyncIterable<Remark> {
    return readRemarks(this.#env, query, signal);
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
    for await (const line of journalJson(this.#env, FIELDS, [...matches, ...options], signal)) {
      const entry = parseEntry(line, units);
      if (entry) yield entry;
    }
  }
}

async function* lines(entries: AsyncIterable<Entry> | Iterable<Entry>): AsyncGenerator<LogLine> {
  for await (const { cursor: _, ...line } of entries) yield line;
}
