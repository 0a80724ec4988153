// What the checks of ids, kernel and storage need to know.
import { stat, statfs } from "node:fs/promises";
import { release } from "node:os";
import { delegatedControllers, findProgram, searchPath } from "../../facts/facts.js";
import { run } from "../../process/run.js";
import type { Subject } from "../outcome.js";
import { installCommand } from "../packages.js";
import type { IdmapFacts, IdmapProgram } from "../rules/idmap.js";
import type { CgroupFacts, NamespaceFacts } from "../rules/kernel.js";
import type { DiskFacts, DriverFacts } from "../rules/storage.js";
import type { SubidFacts } from "../rules/subids.js";
import { filesystemOf, readText } from "./files.js";

const CGROUP2 = 0x63677270; // statfs(2)
const SPAWN_TIMEOUT = 5000;

export async function readSubids({ user, uid }: Subject): Promise<SubidFacts> {
  const paths = ["/etc/subuid", "/etc/subgid", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"];
  const [subuid = "", subgid = "", passwd = "", group = "", nsswitch = ""] = await Promise.all(paths.map(readText));
  const sources = /^\s*subid:\s*(.*)$/m.exec(nsswitch)?.[1]?.trim().split(/\s+/) ?? [];
  return { user, uid, subuid, subgid, passwd, group, otherSources: sources.filter((source) => source !== "files") };
}

export async function readIdmap({ env }: Subject): Promise<IdmapFacts> {
  const [own = "", osRelease = "", mounts = ""] = await Promise.all(
    ["/proc/self/status", "/etc/os-release", "/proc/self/mountinfo"].map(readText),
  );
  return {
    programs: await Promise.all((["newuidmap", "newgidmap"] as const).map((name) => readProgram(name, env, mounts))),
    install: installCommand("uidmap", osRelease),
    noNewPrivs: /^NoNewPrivs:\s+1/m.test(own),
  };
}

async function readProgram(name: IdmapProgram["name"], env: NodeJS.ProcessEnv, mounts: string): Promise<IdmapProgram> {
  const path = await findProgram(name, searchPath(env));
  if (path === undefined) return { name, path, setuidRoot: false, capabilities: undefined, nosuid: false };
  const found = await stat(path);
  const setuidRoot = found.uid === 0 && (found.mode & 0o4000) !== 0;
  const getcap = setuidRoot ? undefined : await findProgram("getcap", searchPath(env));
  const asked = getcap === undefined ? undefined : await run([getcap, path], SPAWN_TIMEOUT, env);
  return { name, path, setuidRoot, capabilities: asked?.code === 0 ? asked.stdout : undefined, nosuid: isNosuid(path, mounts) };
}

/** Whether the mount a path is on has nosuid: the longest mount point that is a prefix, the last one of equals (proc(5)). */
export function isNosuid(path: string, mountinfo: string): boolean {
  let longest = -1;
  let nosuid = false;
  for (const line of mountinfo.split("\n")) {
    const [, , , , point, options] = line.split(" ");
    if (point === undefined || options === undefined) continue;
    const within = point === "/" || path === point || path.startsWith(`${point}/`);
    if (!within || point.length < longest) continue;
    longest = point.length;
    nosuid = options.split(",").includes("nosuid");
  }
  return nosuid;
}

export async function readNamespaces(): Promise<NamespaceFacts> {
  const [maxUserNamespaces, unprivilegedClone, apparmorRestrict] = await Promise.all(
    ["user/max_user_namespaces", "kernel/unprivileged_userns_clone", "kernel/apparmor_restrict_unprivileged_userns"].map((key) =>
      readText(`/proc/sys/${key}`),
    ),
  );
  return { release: release(), maxUserNamespaces, unprivilegedClone, apparmorRestrict };
}

export async function readCgroups({ uid }: Subject): Promise<CgroupFacts> {
  const v2 = (await statfs("/sys/fs/cgroup")).type === CGROUP2;
  const hybrid = (await readText("/sys/fs/cgroup/unified/cgroup.procs")) !== undefined;
  return { layout: v2 ? "v2" : hybrid ? "hybrid" : "v1", controllers: await delegatedControllers(uid) };
}

/** `podrt machine` tries the drivers and the id mapping. */
export async function readDrivers({ podrt, paths, env }: Subject): Promise<DriverFacts> {
  const { type: filesystem } = await filesystemOf(paths.data);
  const result = await run([podrt, "machine"], SPAWN_TIMEOUT, env);
  if (result.code !== 0) {
    const error = result.stderr.trim().split("\n").at(-1) || result.failure || `podrt machine: exit code ${result.code}`;
    return { mapping: undefined, overlay: undefined, fuseOverlayfs: undefined, error, filesystem };
  }
  return { ...parseProbe(result.stdout), error: undefined, filesystem };
}

/** The parts of verb_machine.c's JSON that rules look at; undefined where it does not say. */
export function parseProbe(json: string): Pick<DriverFacts, "mapping" | "overlay" | "fuseOverlayfs"> {
  const object = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? { ...value } : {});
  const { podgen, userns } = object(JSON.parse(json));
  const { overlay, fuseOverlayfs } = object(podgen);
  const { ok, single, reason } = object(userns);
  const truth = (value: unknown) => (typeof value === "boolean" ? value : undefined);
  return {
    overlay: truth(overlay),
    fuseOverlayfs: truth(fuseOverlayfs),
    mapping: typeof ok === "boolean" ? { ok, single: single === true, reason: typeof reason === "string" ? reason : "" } : undefined,
  };
}

export async function readDisk({ paths }: Subject): Promise<DiskFacts> {
  const { folder, freeBytes, freeInodes, inodes } = await filesystemOf(paths.data);
  return { path: folder, freeBytes, freeInodes, inodes };
}
