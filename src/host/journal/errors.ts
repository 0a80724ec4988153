// What journalctl's complaints mean for a person.
import { HostError } from "../../ports/host.js";

/** The journal cannot be read. `code` is journal-denied or journal-failed. */
export class JournalError extends HostError {
  constructor(code: "journal-denied" | "journal-failed", message: string, hint: string, cause?: unknown) {
    super(code, message, hint, cause);
    this.name = "JournalError";
  }
}

/** systemd-journald.service(8), "Files": the folder with its group, then what is in memory moves there. */
export const KEEP_ON_DISK =
  "sudo mkdir -p /var/log/journal && sudo systemd-tmpfiles --create --prefix /var/log/journal && sudo journalctl --flush";

/** Both ways to read one's own lines; the first needs no group, and keeps the journal over a reboot. */
export function denied(user: string): JournalError {
  return new JournalError(
    "journal-denied",
    `${user} may not read the journal`,
    `let the journal be kept on disk, where each user may read the own lines: ${KEEP_ON_DISK} ; ` +
      `or: sudo usermod -a -G systemd-journal ${user} , and log in again`,
  );
}

/** Turns how journalctl ended into an error; undefined when all is well. */
export function journalError(code: number | null, stderr: string, user: string): JournalError | undefined {
  if (/insufficient permissions|Permission denied/i.test(stderr)) return denied(user);
  if (code === 0 || code === null) return undefined;
  // An empty journal is no error of ours: no unit has written yet.
  if (/No journal files were found/i.test(stderr)) return undefined;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return new JournalError("journal-failed", `journalctl failed: ${last || `exit code ${code}`}`, "see: systemctl status systemd-journald");
}
