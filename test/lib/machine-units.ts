// podrt's unit tests for a machine of level 4: static programs, in a folder of their own.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** Builds them; the folder. */
export function unitTests(...names: readonly string[]): string {
  const out = resolve("dist");
  const folder = join(out, "machine-units");
  mkdirSync(folder, { recursive: true });
  const built = names.map((name) => join(out, "obj/tests", name));
  execFileSync("make", ["-s", "-C", "native", `OUT=${out}`, ...built], { stdio: ["ignore", "ignore", "inherit"] });
  for (const [i, name] of names.entries()) copyFileSync(built[i] ?? "", join(folder, name));
  return folder;
}
