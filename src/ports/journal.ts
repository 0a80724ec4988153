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

/** What the manager, or podrt itself, says of a unit. Fields that an entry does not have are empty. */
export interface Remark {
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly unit: string;
  /** `systemd` or `podrt`. */
  readonly identifier: string;
  /** Which of the manager's messages it is (sd-messages.h). */
  readonly messageId: string;
  readonly message: string;
  /** `exited`, `killed`, `dumped`, of a process's end. */
  readonly exitCode: string;
  readonly exitStatus: string;
  readonly restarts: string;
}

export interface RemarkQuery {
  readonly follow: boolean;
  /** Those that are there already, too. */
  readonly past: boolean;
  /** journalctl's --since, passed through. */
  readonly since?: string;
}

export interface Journal {
  /** Lines in order; ends by itself unless `follow`. Found on persistent and on volatile journals (UNITS.md 6). */
  read(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine>;
  /** Of all units of the user, in order; ends by itself unless `follow`. */
  remarks(query: RemarkQuery, signal?: AbortSignal): AsyncIterable<Remark>;
}
