// Where in its unit's cgroup a process is.
import { readFileSync } from "node:fs";

/**
 * The cgroup of process `pid` below its unit's, as AttachProcessesToUnit takes it: `/init.scope` where a systemd in a container has
 * put itself. On cgroup2 nobody may be put beside it: a group with controllers for its children has no processes (cgroups(7), "no internal
 * processes"). Empty where the process is in the unit's own cgroup, or gone.
 */
export function belowUnit(unit: string, pid: number): string {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  } catch {
    return "";
  }
  const path = /^0::(.*)$/m.exec(text)?.[1] ?? "";
  const at = path.indexOf(`/${unit}/`);
  return at < 0 ? "" : path.slice(at + unit.length + 1);
}
