// The journal of the user's units. Implemented by host/journal/ with journalctl.

export interface LogLine {
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly unit: string;
  readonly identifier: string;
  readonly priority: number;
  readonly message: string;
}

export interface LogQuery {
  readonly units: readonly string[];
  /** Last N lines; all when absent. */
  readonly lines?: number;
  readonly follow?: boolean;
  /** journalctl's --since, passed through. */
  readonly since?: string;
}

export interface Journal {
  /** Lines in order; ends by itself unless `follow`. Found on persistent and on volatile journals (UNITS.md 6). */
  read(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine>;
}
