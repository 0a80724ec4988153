// Small reads that the checks share.
import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** The text, or undefined where it cannot be read. */
export function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** The nearest folder on the way up that exists. */
export async function nearest(path: string): Promise<string> {
  for (let folder = path; folder !== "/"; folder = dirname(folder)) {
    if (
      await stat(folder).then(
        () => true,
        () => false,
      )
    )
      return folder;
  }
  return "/";
}

/** The statfs of what `path` is on, or will be. */
export async function filesystemOf(path: string) {
  const folder = await nearest(path);
  return { folder, ...pick(await statfs(folder)) };
}

function pick(fs: { type: number; bavail: number; bsize: number; files: number; ffree: number }) {
  return { type: fs.type, freeBytes: fs.bavail * fs.bsize, inodes: fs.files, freeInodes: fs.ffree };
}

/**
 * A configuration file of systemd and its drop-ins, in the order they are read: of two drop-ins with one name the one
 * in /etc wins over /run, and that over /usr (systemd-system.conf(5), "Configuration directories").
 */
export async function readWithDropins(name: string): Promise<string[]> {
  const byName = new Map<string, string>();
  for (const root of ["/usr/lib/systemd", "/run/systemd", "/etc/systemd"]) {
    for (const file of await readdir(`${root}/${name}.d`).catch(() => [])) {
      if (file.endsWith(".conf")) byName.set(file, `${root}/${name}.d/${file}`);
    }
  }
  const dropins = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const texts = await Promise.all([`/etc/systemd/${name}`, ...dropins].map(readText));
  return texts.map((text) => text ?? "");
}
