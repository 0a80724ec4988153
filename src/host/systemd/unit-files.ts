// Unit files on disk, by the manager's own search path. Its ListUnitFilesByPatterns takes 2 ms for each file (systemd 252: it looks for
// links to each in every folder), that is over a second for a hundred pods, in which it does nothing else.
import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import type { UnitFile } from "../../ports/manager.js";

/** Names of units that have files (systemd.unit(5)); the manager does not look at others. */
const UNIT = /^[A-Za-z0-9:_.\\@-]+\.(?:service|socket|slice|timer|target|path|mount|automount|swap)$/;
/** Where the links of [Install] are. */
const LINKS = /\.(?:wants|requires)$/;
/** Links in these are of a package, a generator or until the next boot: systemctl calls none of them `enabled`. */
const NOT_OURS = /^\/(?:run|usr)\//;

/**
 * The unit files that match a glob, by name; `folders` in the order of their precedence. A folder that is not there or may not be read
 * has none, as for the manager.
 */
export function findUnitFiles(folders: readonly string[], patterns: readonly string[]): ReadonlyMap<string, UnitFile> {
  const matches = matcher(patterns);
  const enabled = new Set<string>();
  const found = new Map<string, string>();
  for (const folder of folders)
    for (const entry of entries(folder)) {
      const { name } = entry;
      if (entry.isDirectory() && LINKS.test(name) && !NOT_OURS.test(folder))
        for (const link of entries(join(folder, name))) enabled.add(link.name);
      else if (!entry.isDirectory() && UNIT.test(name) && !found.has(name) && matches(name)) found.set(name, join(folder, name));
    }
  return new Map([...found].map(([name, path]) => [name, { path, state: enabled.has(name) ? "enabled" : "" }]));
}

/** fnmatch(3) of patterns whose only special character is the star. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const words = patterns.map((pattern) => pattern.replace(/[\\^$.+?()[\]{}|]/g, "\\$&").replaceAll("*", ".*"));
  const whole = new RegExp(`^(?:${words.join("|")})$`, "s");
  return (name) => whole.test(name);
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
