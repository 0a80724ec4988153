// What people have chosen for short names: short-name-aliases.conf, shared with podman (containers-registries.conf(5)).
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { acquire } from "../lock.js";
import { replaceFile } from "../replace.js";
import { Fields } from "./fields.js";
import { readAliases } from "./parse.js";
import { parseToml } from "./toml.js";
import { configError } from "./types.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Another podgen that writes down a choice is done soon. Milliseconds. */
const PATIENCE = 10_000;

/** `$XDG_CACHE_HOME/containers/short-name-aliases.conf`; undefined where there is no home. */
export function choicesFile(env: Env): string | undefined {
  const cache = env["XDG_CACHE_HOME"] || (env["HOME"] ? join(env["HOME"], ".cache") : undefined);
  return cache === undefined ? undefined : join(cache, "containers/short-name-aliases.conf");
}

/** Choices by short name; empty where there are none. Throws ImageError image-config for a file that is none. */
export async function readChoices(env: Env): Promise<ReadonlyMap<string, string>> {
  const path = choicesFile(env);
  const text = path === undefined ? undefined : await readIfThere(path);
  if (path === undefined || text === undefined) return new Map();
  return readAliases(new Fields(await parseToml(text, path), path, "", ["aliases"]).table("aliases"), path);
}

/** Keeps a choice. The file is replaced as a whole; podgens wait for each other. Throws ImageError, or an error of the file system. */
export async function writeChoice(env: Env, name: string, value: string): Promise<void> {
  const path = choicesFile(env);
  if (path === undefined) throw configError("short-name-aliases.conf", "there is no HOME to keep it in");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const end = Date.now() + PATIENCE;
  const lock = await acquire(`${path}.podgen-lock`, "exclusive", 1, () => Date.now() < end);
  if (lock === undefined) throw configError(path, "is locked by another podgen and stays so");
  try {
    const choices = new Map([...(await readChoices(env)), [name, value] as const]);
    const lines = [...choices].sort(([a], [b]) => (a < b ? -1 : 1)).map(([n, v]) => `  ${JSON.stringify(n)} = ${JSON.stringify(v)}\n`);
    await replaceFile(path, `[aliases]\n${lines.join("")}`, 0o600);
  } finally {
    await lock.release(true);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw configError(path, `cannot be read (${error.code ?? error.message})`);
  });
}
