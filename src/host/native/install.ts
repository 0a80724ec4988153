// Puts podrt at the stable path units name: a file named by its digest, and a link that is swapped (DESIGN.md).
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileWriter } from "../../ports/files.js";
import { HostError } from "../../ports/host.js";

/** What the installed file was made from; lets an apply without change do with four calls of stat. */
interface Origin {
  readonly source: string;
  readonly size: number;
  readonly changed: number;
  readonly inode: number;
  readonly file: string;
}

const ORIGIN = "podrt.json";

/**
 * Installs `source` as `link` (`<data>/bin/podrt` -> `podrt-<digest>`), and removes older ones.
 * True when anything changed. Throws HostError runtime-missing where there is no `source`, `file` when it cannot write.
 */
export async function installRuntime(files: FileWriter, source: string, link: string): Promise<boolean> {
  const folder = dirname(link);
  const found = lookAtRuntime(source);
  if (isCurrent(folder, link, source, found)) return false;
  const bytes = await readFile(source);
  const file = `podrt-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;
  const changed = targetOf(link) !== file || !sameSize(join(folder, file), bytes.length);
  // A file of this name has these bytes, unless it was cut short; running processes keep the old inode.
  if (!sameSize(join(folder, file), bytes.length)) await files.write(join(folder, file), bytes, 0o755);
  if (changed) await files.link(link, file);
  const origin: Origin = { source, size: found.size, changed: found.mtimeMs, inode: found.ino, file };
  await files.write(join(folder, ORIGIN), new TextEncoder().encode(`${JSON.stringify(origin)}\n`), 0o600);
  await removeOlder(files, folder, file);
  return changed;
}

function lookAtRuntime(source: string): Stats {
  try {
    return statSync(source);
  } catch (error) {
    throw new HostError("runtime-missing", `podgen's runtime is not at ${source}`, "build it: npm run build", error);
  }
}

/** Empty for what is no symbolic link. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function isCurrent(folder: string, link: string, source: string, found: Stats): boolean {
  try {
    const target = readlinkSync(link);
    const origin: Partial<Origin> = JSON.parse(readFileSync(join(folder, ORIGIN), "utf8"));
    const same = origin.source === source && origin.size === found.size && origin.changed === found.mtimeMs && origin.inode === found.ino;
    return same && origin.file === target && sameSize(join(folder, target), found.size);
  } catch {
    return false;
  }
}

function sameSize(path: string, size: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === size && (found.mode & 0o111) === 0o111;
}

/**
 * Nobody needs an older one by its name: a process that runs it has its inode, also where it executes itself anew
 * (/proc/self/exe, native/lib/hold.c), and all that starts from now on goes by the link.
 */
async function removeOlder(files: FileWriter, folder: string, keep: string): Promise<void> {
  const old = (await files.list(folder)).filter((name) => /^podrt-[0-9a-f]{12}$/.test(name) && name !== keep);
  for (const name of old) await unlink(join(folder, name)).catch(() => undefined);
}
