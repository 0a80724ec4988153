// podgen watch --install --path: systemd itself looks at the folder (systemd.path(5)), and starts the watcher when something changes.
import { dirname, join } from "node:path/posix";
import type { FileReader } from "../../ports/files.js";
import { referencedBy } from "./referenced.js";
import type { UnitWishes } from "./unit.js";

/** Of units of ours. */
export const HEADER = "# podgen: watch, made by podgen watch --install; podgen watch --uninstall takes it away";

/** What PathChanged= gets a line for each; `deep`: how many folders in the folder are among them. */
export interface WatchedPaths {
  readonly paths: readonly string[];
  readonly deep: number;
}

/** The folder, the folders in it, and what else decides: bases of kustomize, files of variables. */
export async function watchedPaths(
  folder: string,
  wishes: Pick<UnitWishes, "kustomize" | "variables">,
  files: FileReader,
): Promise<WatchedPaths> {
  const inside = await foldersIn(folder, files);
  const more = wishes.kustomize ? await referencedBy(folder, files) : { folders: [], files: [] };
  const bases = await Promise.all(more.folders.map(async (base) => [base, ...(await foldersIn(base, files))]));
  // A file that an editor renames into place is another one: its folder tells of that, the file itself does not.
  const variables = (wishes.variables ?? []).filter((word) => !word.startsWith("--"));
  const paths = [folder, ...inside, ...bases.flat(), ...[...more.files, ...variables].map((file) => dirname(file))];
  return { paths: [...new Set(paths)], deep: inside.length };
}

/** Hidden ones are left out, as the watcher leaves them out. */
async function foldersIn(folder: string, files: FileReader): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.list(folder)) {
    const path = join(folder, name);
    if (name.startsWith(".") || (await files.kind(path)) !== "folder") continue;
    found.push(path, ...(await foldersIn(path, files)));
  }
  return found;
}

/** Paths take specifiers; nothing else in them is special (systemd.path(5)). */
export function pathUnit(folder: string, service: string, paths: readonly string[]): string {
  const plain = (path: string): string => path.replace(/%/g, "%%");
  return [
    HEADER,
    "[Unit]",
    `Description=podgen looks at ${plain(folder)} when it changes`,
    "Documentation=man:podgen-watch(1)",
    "",
    "[Path]",
    ...paths.map((path) => `PathChanged=${plain(path)}`),
    `Unit=${plain(service)}`,
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}
