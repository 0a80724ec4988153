// Which files say what of registries, and all of them as one (containers-registries.conf(5), containers-registries.conf.d(5)).
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRegistries } from "./parse.js";
import { parseToml } from "./toml.js";
import { configError, NO_REGISTRIES, type Registries, type RegistriesFile, type RegistryEntry } from "./types.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The system's folders; tests put a root of their own in front. */
const SYSTEM = ["/etc/containers", "/usr/share/containers"];

/** All files of this user together; empty where there is none. Throws ImageError image-config for one that is wrong. */
export async function loadRegistries(env: Env, root = ""): Promise<Registries> {
  const { main, folders } = await places(env, root);
  const drops = await Promise.all(folders.map(dropIns));
  const files = await Promise.all([...(main === undefined ? [] : [main]), ...drops.flat()].map(readOne));
  return files.reduce(merged, NO_REGISTRIES);
}

/**
 * The one main file and the folders of additions. $CONTAINERS_REGISTRIES_CONF stands for the main file; a user's own main file
 * stands for all that is the system's.
 */
async function places(env: Env, root: string): Promise<{ main: string | undefined; folders: string[] }> {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  const own = config === undefined ? undefined : join(config, "containers/registries.conf");
  const ownFolder = own === undefined ? [] : [`${own}.d`];
  const system = SYSTEM.map((folder) => `${root}${folder}/registries.conf`);
  const chosen = env["CONTAINERS_REGISTRIES_CONF"];
  if (chosen) {
    if (!(await there(chosen))) throw configError(chosen, "is not there, and $CONTAINERS_REGISTRIES_CONF names it");
    return { main: chosen, folders: [`${system[0]}.d`, ...ownFolder] };
  }
  if (own !== undefined && (await there(own))) return { main: own, folders: ownFolder };
  for (const file of system) if (await there(file)) return { main: file, folders: [`${system[0]}.d`, ...ownFolder] };
  return { main: undefined, folders: [`${system[0]}.d`, ...ownFolder] };
}

async function there(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return false;
      throw configError(path, `cannot be read (${error.code ?? error.message})`);
    },
  );
}

/** *.conf in a folder, by name. */
async function dropIns(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw configError(folder, `cannot be listed (${error.code ?? error.message})`);
  });
  return names
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => join(folder, name));
}

async function readOne(path: string): Promise<RegistriesFile> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw configError(path, `cannot be read (${error.code ?? error.message})`);
  });
  return parseRegistries(await parseToml(text, path), path);
}

/** A later file's settings stand for earlier ones; its registries and aliases for those of the same prefix and name. Pure. */
export function merged(before: Registries, file: RegistriesFile): Registries {
  const entries = new Map<string, RegistryEntry>([...before.entries, ...file.entries].map((e) => [e.prefix, e]));
  const aliases = new Map([...before.aliases, ...file.aliases]);
  for (const [name, value] of file.aliases) if (value === "") aliases.delete(name);
  return {
    search: file.search ?? before.search,
    mode: file.mode ?? before.mode,
    helpers: file.helpers ?? before.helpers,
    entries: [...entries.values()],
    aliases,
  };
}
