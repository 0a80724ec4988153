// Changing a login file (containers-auth.json(5)): whole or not at all, 0600, everything else in it left as it is.
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Credentials, normaliseKey } from "../../base/registry-login.js";
import { ImageError } from "../../ports/images.js";
import { CredentialHelper } from "./credential-helper.js";
import { type AuthFile, HUB_KEY, helperKeys, helperOf, readAuthFile } from "./credentials.js";
import { isObject, type Json } from "./json.js";
import { acquire } from "./lock.js";
import { replaceFile } from "./replace.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Another podgen that changes the file is done soon, a helper that asks a person aside. Milliseconds. */
const PATIENCE = 60_000;

/** The file that is written: the given one, $REGISTRY_AUTH_FILE, or podman's usual one. */
export function authFilePath(env: Env, given?: string): string {
  if (given !== undefined) return given;
  if (env["REGISTRY_AUTH_FILE"]) return env["REGISTRY_AUTH_FILE"];
  if (env["XDG_RUNTIME_DIR"]) return join(env["XDG_RUNTIME_DIR"], "containers/auth.json");
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || "/", ".config");
  return join(config, "containers/auth.json");
}

/** Stores a login in the file, or in the helper that it names for the registry. Returns where. Throws ImageError. */
export async function storeLogin(file: string, key: string, credentials: Credentials, env: Env): Promise<string> {
  return changing(file, key, async (json) => {
    const name = helperOf(json, hostOf(key)) ?? storeOf(json);
    const auths = without(json, key);
    // docker looks for its own hub under this key only: where it stands, it stays.
    const written = key === "docker.io" && Object.hasOwn(authsOf(json), HUB_KEY) ? HUB_KEY : key;
    if (name !== undefined) {
      await new CredentialHelper(name, env).store(helperKeys(key)[0] ?? key, credentials);
      return { json: { ...json, auths: { ...auths, [written]: {} } }, result: `docker-credential-${name}` };
    }
    const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
    return { json: { ...json, auths: { ...auths, [written]: { auth } } }, result: file };
  });
}

/** Drops the login for a registry, or all of them; returns the registries that had one. Throws ImageError. */
export async function dropLogins(file: string, key: string | undefined, env: Env): Promise<string[]> {
  if ((await readAuthFile(file, key ?? file)) === undefined) return [];
  return changing(file, key ?? file, async (json) => {
    const auths = authsOf(json);
    const helpers = isObject(json["credHelpers"]) ? Object.keys(json["credHelpers"]).map(normaliseKey) : [];
    const keys = key === undefined ? [...new Set([...Object.keys(auths).map(normaliseKey), ...helpers])] : [key];
    const dropped: string[] = [];
    for (const one of keys) {
      const name = helperOf(json, hostOf(one)) ?? storeOf(json);
      let had = Object.keys(auths).some((k) => normaliseKey(k) === one);
      if (name !== undefined) for (const asked of helperKeys(one)) had = (await new CredentialHelper(name, env).erase(asked)) || had;
      if (had) dropped.push(one);
    }
    const left = Object.fromEntries(Object.entries(auths).filter(([k]) => !keys.includes(normaliseKey(k))));
    return { json: { ...json, auths: left }, result: dropped };
  });
}

function authsOf(json: AuthFile): { readonly [key: string]: Json } {
  return isObject(json["auths"]) ? json["auths"] : {};
}

function without(json: AuthFile, key: string): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(authsOf(json)).filter(([k]) => normaliseKey(k) !== key));
}

function storeOf(json: AuthFile): string | undefined {
  const store = json["credsStore"];
  return typeof store === "string" && store !== "" ? store : undefined;
}

function hostOf(key: string): string {
  return key.split("/")[0] ?? key;
}

/** Reads, changes and replaces the file under a lock. A link stays one: what it leads to is replaced. */
async function changing<T>(
  file: string,
  reference: string,
  change: (json: AuthFile) => Promise<{ json: AuthFile; result: T }>,
): Promise<T> {
  const target = await realpath(file).catch(() => file);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const end = Date.now() + PATIENCE;
    const lock = await acquire(`${target}.podgen-lock`, "exclusive", 1, () => Date.now() < end);
    if (lock === undefined) throw new ImageError("image-store", reference, `${file}: is locked by another podgen and stays so`);
    try {
      const { json, result } = await change((await readAuthFile(target, reference)) ?? {});
      await replaceFile(target, `${JSON.stringify(json, null, "\t")}\n`, 0o600);
      return result;
    } finally {
      await lock.release(true);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ImageError || typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) throw error;
    throw new ImageError("image-store", reference, `${file}: cannot be written (${code})`, undefined, error);
  }
}
