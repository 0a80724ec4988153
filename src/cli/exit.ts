// Exit codes, as podgen(1) documents them.

export const EXIT = {
  done: 0,
  /** diff, plan: there is a change. apply --detailed-exitcode says 2. */
  change: 1,
  /** Refused or failed; nothing changed. */
  failed: 1,
  /** diff, plan: an error. */
  diffError: 2,
  detailedChanged: 2,
  /** Failed and rolled back; healthy again. */
  rolledBack: 3,
  /** Failed and still broken; also status of a pod that does not run (LSB). */
  broken: 4,
  notRunning: 3,
  usage: 64,
  /** exec: podgen or podrt failed, not the command. */
  execFailed: 125,
} as const;

/** An error that the user can act on: printed without a stack. */
export class UserError extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;
  constructor(message: string, exitCode: number = EXIT.failed, hint?: string) {
    super(message);
    this.name = "UserError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}
