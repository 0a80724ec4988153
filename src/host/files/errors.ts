// Errors of the file system, with the path and what to do.
import { HostError } from "../../ports/host.js";

/** `ENOENT` and the like, or "" when it is no error of the system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

const WORDS: Readonly<Record<string, readonly [what: string, hint?: string]>> = {
  ENOSPC: ["no space left on the device", "see what is full: df -h; df -i"],
  EDQUOT: ["the disk quota is used up", "see: quota -s"],
  EROFS: ["the file system is read-only", "mount it read-write, or point XDG_DATA_HOME, XDG_STATE_HOME and XDG_CONFIG_HOME elsewhere"],
  EACCES: ["permission denied", "see who owns the folders on the way: namei -l PATH"],
  EPERM: ["operation not permitted"],
  ENOTDIR: ["a part of the path is not a folder"],
  ELOOP: ["too many symbolic links"],
  ENAMETOOLONG: ["the name is too long"],
  EIO: ["the disk has an error", "see: dmesg"],
};

/** The error with the path in its message; a HostError stays as it is. `cause.code` keeps the system's code. */
export function fileError(verb: string, path: string, error: unknown): HostError {
  if (error instanceof HostError) return error;
  const code = codeOf(error);
  const [what, hint] = WORDS[code] ?? [error instanceof Error ? error.message : String(error)];
  return new HostError("file", `cannot ${verb} ${path}: ${what}`, hint?.replace("PATH", path), error);
}
