// Where rootless podman keeps its images: storage.conf (containers-storage.conf(5)), as far as reading them needs it.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { isTable, parseToml, type TomlTable } from "../registries/toml.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface StoreFolder {
  /** `overlay` or `vfs` */
  readonly driver: string;
  readonly root: string;
}

const DRIVERS = ["overlay", "vfs"];

/** The user's own file, else the system's; $CONTAINERS_STORAGE_CONF stands for all. */
function files(env: Env, system: string): { path: string; own: boolean }[] {
  const chosen = env["CONTAINERS_STORAGE_CONF"];
  if (chosen) return [{ path: chosen, own: true }];
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  return [
    ...(config === undefined ? [] : [{ path: join(config, "containers/storage.conf"), own: true }]),
    { path: `${system}/etc/containers/storage.conf`, own: false },
    { path: `${system}/usr/share/containers/storage.conf`, own: false },
  ];
}

/**
 * The stores that podman reads for this user: its own first, then the additional ones. Only those that are there. `uid` is the user's,
 * `system` is put before the system's paths. Throws ImageError image-config for a file that is wrong.
 */
export async function podmanStores(env: Env, uid: number, system = ""): Promise<StoreFolder[]> {
  const { settings, own, path } = await read(env, system);
  const storage = table(settings, "storage");
  const options = table(storage, "options");
  const home = env["HOME"] ?? "";
  const expand = (text: string) =>
    text.replace(/\$(HOME|UID|USER)\b/g, (_, name) => ({ HOME: home, UID: String(uid), USER: env["USER"] ?? "" })[name as "HOME"]);
  const data = env["XDG_DATA_HOME"] || join(home, ".local/share");
  // The system's graphroot is root's.
  const graphroot = (own ? text(storage, "graphroot") : undefined) ?? text(storage, "rootless_storage_path");
  const root = graphroot === undefined || graphroot === "" ? join(data, "containers/storage") : expand(graphroot);
  const images = own ? (text(storage, "imagestore") ?? text(options, "imagestore")) : undefined;
  const more = own ? (options["additionalimagestores"] ?? []) : [];
  if (!Array.isArray(more) || !more.every((m) => typeof m === "string"))
    throw new ImageError("image-config", path, `${path}: additionalimagestores is not a list of folders`);
  const wanted = env["STORAGE_DRIVER"] || text(storage, "driver") || undefined;
  const roots = [...(images ? [expand(images)] : []), root, ...more.map(expand)];
  return (await Promise.all(roots.map((folder) => storeAt(folder, wanted)))).filter((s) => s !== undefined);
}

/** The store in a folder; of several drivers `wanted`, else overlay. undefined where there is none. */
export async function storeAt(root: string, wanted?: string): Promise<StoreFolder | undefined> {
  for (const driver of new Set([...(wanted === undefined ? [] : [wanted]), ...DRIVERS]))
    if (DRIVERS.includes(driver) && (await isThere(join(root, `${driver}-images/images.json`)))) return { driver, root };
  return undefined;
}

async function read(env: Env, system: string): Promise<{ settings: TomlTable; own: boolean; path: string }> {
  for (const { path, own } of files(env, system)) {
    const content = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw new ImageError("image-config", path, `${path}: cannot be read (${error.code ?? error.message})`);
    });
    if (content !== undefined) return { settings: await parseToml(content, path), own, path };
  }
  return { settings: {}, own: false, path: "" };
}

function table(of: TomlTable, name: string): TomlTable {
  const found = of[name];
  return isTable(found) ? found : {};
}

function text(of: TomlTable, name: string): string | undefined {
  const found = of[name];
  return typeof found === "string" ? found : undefined;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
