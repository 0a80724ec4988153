// The planner's facts of this machine: a few small reads, nothing is started.
import { cpus, hostname, totalmem } from "node:os";
import type { HostFacts } from "../../base/facts.js";
import { isExecutable, smallText } from "../files/small.js";
import { readStorage } from "./storage.js";
import { subordinateIds } from "./subids.js";

/** First of PATH's absolute folders that has an executable file of this name. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(":")) {
    // A relative part of PATH means another folder to systemd than to us.
    if (!folder.startsWith("/")) continue;
    const file = `${folder.replace(/\/+$/, "")}/${name}`;
    if (isExecutable(file)) return file;
  }
  return undefined;
}

/** PATH, and the folders an unprivileged user's PATH may lack. */
export function searchPath(env: NodeJS.ProcessEnv): string {
  return `${env["PATH"] ?? ""}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** First port anybody may bind; 1024 where the kernel does not say (before 4.11). */
export async function unprivilegedPortStart(root = ""): Promise<number> {
  const text = smallText(`${root}/proc/sys/net/ipv4/ip_unprivileged_port_start`) ?? "1024";
  return Number.parseInt(text, 10);
}

/** cgroup v2 controllers the user manager has; empty where the hierarchy is hybrid or v1, or the manager's cgroup is elsewhere. */
export async function delegatedControllers(uid: number, root = ""): Promise<string[]> {
  const file = `${root}/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service/cgroup.controllers`;
  const text = smallText(file) ?? "";
  return text.split(/\s+/).filter((word) => word !== "");
}

/**
 * Whether the kernel would reserve anything below the user's manager: a cgroup's memory.min counts no further than those
 * of all its ancestors do (cgroup-v2.rst, "Memory Interface Files"), and these three are root's to set.
 */
export async function memoryProtected(uid: number, root = ""): Promise<boolean> {
  const groups = ["user.slice", `user.slice/user-${uid}.slice`, `user.slice/user-${uid}.slice/user@${uid}.service`];
  return groups.every((group) => (smallText(`${root}/sys/fs/cgroup/${group}/memory.min`) ?? "0").trim() !== "0");
}

/** Security modules with labels: AppArmor's module says it itself; SELinux has its file system, and a policy since our label is another than "kernel". */
export async function securityModules(root = ""): Promise<HostFacts["lsm"]> {
  const read = (path: string): string => smallText(`${root}${path}`) ?? "";
  const [apparmor, enforce] = [read("/sys/module/apparmor/parameters/enabled"), read("/sys/fs/selinux/enforce")];
  const label = read("/proc/self/attr/current");
  return { apparmor: apparmor.trim() === "Y", selinux: enforce.trim() !== "" && !/^kernel\0?$/.test(label.trim()) };
}

/**
 * Everything the planner must know, `known` of it. `path` is the PATH that units have: pasta is started by one (podrt
 * uplink), and one that only the caller's shell would find is none.
 */
export async function readFacts(
  known: Pick<HostFacts, "paths" | "user" | "uid" | "gid" | "systemdVersion">,
  path: string,
): Promise<HostFacts> {
  const [pasta, port, controllers, isProtected, { driver }, ids, lsm] = await Promise.all([
    findProgram("pasta", path),
    unprivilegedPortStart(),
    delegatedControllers(known.uid),
    memoryProtected(known.uid),
    readStorage(known.paths.settings),
    subordinateIds(known),
    securityModules(),
  ]);
  return {
    ...known,
    subordinateIds: ids,
    unprivilegedPortStart: port,
    controllers,
    memoryProtected: isProtected,
    lsm,
    machine: { name: hostname(), cpus: cpus().length, memoryBytes: totalmem() },
    ...(driver === "auto" ? {} : { storageDriver: driver }),
    ...(pasta === undefined ? {} : { pasta }),
  };
}
