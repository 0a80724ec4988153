// Images that are mounted to be looked at (podgen image mount). Nothing is written down: what the kernel says is what is so.
//   <run>/mounts/HEX    the image of manifest HEX, in a mount namespace of `podgen unshare`, on a tmpfs of that namespace
import { readdir, readFile, readlink } from "node:fs/promises";

/** A mount point of ours, as mountinfo shows it (proc_pid_mountinfo(5)): what is before it may be written with escapes. */
const POINT = /^\S+ \S+ \S+ \S+ (\S*\/podgen\/mounts\/([0-9a-f]{64})) /gm;

/** Digests of the images that are mounted in our own mount namespace. */
export async function mountedHere(): Promise<string[]> {
  return digestsIn(await readFile("/proc/self/mountinfo", "utf8"));
}

/** Digests of the images that any process of this user has mounted. Processes that end meanwhile have none. */
export async function mountedAnywhere(): Promise<string[]> {
  const found = new Set<string>();
  const seen = new Set<string>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // Other users' cannot be read, and cannot have mounted what only this one may look into.
    const namespace = await readlink(`/proc/${name}/ns/mnt`).catch(() => undefined);
    if (namespace === undefined || seen.has(namespace)) continue;
    const text = await readFile(`/proc/${name}/mountinfo`, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    seen.add(namespace);
    for (const digest of digestsIn(text)) found.add(digest);
  }
  return [...found];
}

export function digestsIn(mountinfo: string): string[] {
  return [...mountinfo.matchAll(POINT)].map((match) => `sha256:${match[2]}`);
}
