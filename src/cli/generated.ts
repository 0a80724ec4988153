// Where podgen generate puts what apply would install.
import { basename } from "node:path/posix";
import type { Paths } from "../base/facts.js";
import type { RenderedFile } from "../render/types.js";

/**
 * The place of a rendered file below `root`: units beside each other, all else as it lies below podgen's own folders.
 * Throws on a file of neither, which would be a bug: nothing may be written outside of `root`.
 */
export function generatedPath(file: Pick<RenderedFile, "path" | "kind">, root: string, paths: Paths): string {
  if (file.kind === "unit") return `${root}/${basename(file.path)}`;
  const home = [paths.data, paths.state].find((folder) => file.path.startsWith(`${folder}/`));
  if (home === undefined) throw new Error(`${file.path} is in none of podgen's folders`);
  return `${root}${file.path.slice(home.length)}`;
}
