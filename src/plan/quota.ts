// Sizes of folders on disk: nothing that podgen may use limits them.
import type { Location } from "../base/diagnostic.js";
import type { Unenforced } from "./unenforced.js";

/**
 * A size that is not held; one warning names all of an apply. Quotas of XFS and ext4 (quotactl(2)) and of btrfs
 * (BTRFS_IOC_QGROUP_LIMIT) are set with CAP_SYS_ADMIN of the host's own user namespace, which no user has, and a file system of a
 * fixed size in a file (a loop device) takes it, too.
 */
export function noQuota(what: string, field: string, at: Location): Unenforced {
  const hint = "medium: Memory has a limit; else root can set a quota for the user's whole home";
  return { code: "no-quota", what, reason: `${field} has no effect: Linux lets only root limit the size of a folder`, hint, at };
}
