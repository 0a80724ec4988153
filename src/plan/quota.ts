// Sizes of folders on disk: nothing that podgen may use limits them.
import type { Location } from "../base/diagnostic.js";
import type { PodContext } from "./context.js";

/**
 * Quotas of XFS and ext4 (quotactl(2)) and of btrfs (BTRFS_IOC_QGROUP_LIMIT) are set with CAP_SYS_ADMIN of the host's own user
 * namespace, which no user has; a file system of a fixed size in a file (a loop device) takes it, too.
 */
const REASON = "has no effect: Linux lets only root limit the size of a folder";

/** Notes that a volume's size is not held: one warning names all of an apply. */
export function unlimited(context: PodContext, what: string, field: string, at: Location): void {
  const hint = "medium: Memory has a limit; else root can set a quota for the user's whole home";
  context.unenforced.push({ code: "no-quota", what: `${what} of pod "${context.pod.name}"`, reason: `${field} ${REASON}`, hint, at });
}
