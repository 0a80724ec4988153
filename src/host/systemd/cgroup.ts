// Where in its unit's cgroup a process is.
import { existsSync, readFileSync } from "node:fs";

/**
 * The cgroup of process `pid` below its unit's, as AttachProcessesToUnit takes it: `/init.scope` where a systemd in a container has
 * put itself. On cgroup2 nobody may be put beside it: a group with controllers for its children has no processes (cgroups(7), "no internal
 * processes"). Empty where the process is in the unit's own cgroup, or gone.
 */
export function belowUnit(unit: string, pid: number): string {
  const path = groupOf(pid);
  const at = path.indexOf(`/${unit}/`);
  return at < 0 ? "" : path.slice(at + unit.length + 1);
}

/** The folder of a unit's cgroup of cgroup2, in which `pid` is; undefined where it is in none that can be frozen. */
export function freezable(unit: string, pid: number): string | undefined {
  const path = groupOf(pid);
  const at = `${path}/`.indexOf(`/${unit}/`);
  if (at < 0) return undefined;
  // Beside v1's hierarchies ("hybrid") systemd has it one folder deeper.
  const folders = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map((root) => root + path.slice(0, at + unit.length + 1));
  return folders.find((folder) => existsSync(`${folder}/cgroup.freeze`));
}

/** Where a process is in cgroup2; empty where it is gone. */
function groupOf(pid: number): string {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
