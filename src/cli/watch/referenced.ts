// What a kustomization refers to beyond its folder: read without kustomize, to know which files to watch.
import { dirname, join, normalize } from "node:path/posix";
import type { FileReader } from "../../ports/files.js";
import type { Node } from "../../spec/node.js";
import { parseYaml } from "../../spec/yaml.js";
import { KUSTOMIZATION } from "../input.js";

/** Absolute paths. Of a folder all counts, of what lies elsewhere the file alone. */
export interface Watched {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Fields of a kustomization whose texts are paths, wherever they stand in it (kubectl.docs.kubernetes.io, "kustomization"). */
const PATHS = new Set([
  ...["resources", "bases", "components", "generators", "transformers", "validators"],
  ...["path", "patchesStrategicMerge", "configurations", "crds", "files", "env", "envs", "valuesFile", "additionalValuesFiles"],
]);
/** More of them than people write: a circle of links, which kustomize refuses by itself. */
const MOST = 1_000;

/**
 * Folders and files besides `folder` whose changes may change what kustomize makes of it, sorted. Bases that are elsewhere than on this
 * machine are not watched; what is no YAML, or is not there, is kustomize's to say.
 */
export async function referencedBy(folder: string, files: FileReader): Promise<Watched> {
  const folders = new Set([folder]);
  const single = new Set<string>();
  for (const at of folders) {
    if (folders.size + single.size > MOST) break;
    for (const path of await pathsIn(at, files)) {
      const kind = await files.kind(path);
      if (kind === "folder") folders.add(path);
      else if (kind === "file") single.add(path);
    }
  }
  folders.delete(folder);
  const covered = (path: string, by: Iterable<string>): boolean => [...by].some((root) => path !== root && isBelow(path, root));
  const roots = [...folders].filter((path) => !isBelow(path, folder) && !covered(path, folders));
  const rest = [...single].filter((path) => !covered(path, [folder, ...roots]));
  return { folders: roots.sort(), files: rest.sort() };
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root === "/" ? "/" : `${root}/`);
}

/** Of one kustomization: absolute, and never a folder in which it lies itself, which would be all of a home. */
async function pathsIn(folder: string, files: FileReader): Promise<string[]> {
  const name = (await files.list(folder)).find((entry) => KUSTOMIZATION.test(entry));
  const bytes = name === undefined ? undefined : await files.read(join(folder, name));
  const { value: documents = [] } = parseYaml(folder, new TextDecoder().decode(bytes ?? new Uint8Array()));
  return documents
    .flatMap((document) => textsOf(document.root, undefined))
    .filter((text) => text !== "" && !/:\/\/|\n/.test(text))
    .map((text) => normalize(join(folder, text)).replace(/(.)\/$/, "$1"))
    .filter((path) => path !== folder && !isBelow(folder, path));
}

/** All texts of fields of paths; `key=path` of a generator is a path, too. */
function textsOf(node: Node, field: string | undefined): string[] {
  if (node.kind === "seq") return node.items.flatMap((item) => textsOf(item, field));
  if (node.kind === "map") return [...node.entries].flatMap(([key, { value }]) => textsOf(value, key));
  if (field === undefined || !PATHS.has(field)) return [];
  const text = node.text;
  return field === "files" && text.includes("=") ? [text, text.slice(text.indexOf("=") + 1)] : [text];
}

/** Those, with the folder of each file: what is set on the folder tells of the file, also of one that is renamed into place. */
export function byFolder(files: readonly string[]): Map<string, Set<string>> {
  const out = new Map<string, Set<string>>();
  for (const file of files) out.set(dirname(file), new Set([...(out.get(dirname(file)) ?? []), file]));
  return out;
}
