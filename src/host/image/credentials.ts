// User names and passwords for registries, from the files podman and docker log in to (containers-auth.json(5)).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Credentials, normaliseKey, readEntry } from "../../base/registry-login.js";
import { ImageError } from "../../ports/images.js";
import { isObject, type Json, parseJson } from "./json.js";

type Env = Readonly<Record<string, string | undefined>>;

export type AuthFile = { readonly [key: string]: Json };

/** In `credential-helpers` of registries.conf: the files themselves (containers-registries.conf(5)). */
export const FILES = "containers-auth.json";
/** The key under which docker's helpers have Docker Hub. */
export const HUB_KEY = "https://index.docker.io/v1/";

/** The files, in the order they are asked. $REGISTRY_AUTH_FILE stands alone when it is set. */
export function credentialFiles(env: Env): string[] {
  if (env["REGISTRY_AUTH_FILE"]) return [env["REGISTRY_AUTH_FILE"]];
  const home = env["HOME"] || undefined;
  const config = env["XDG_CONFIG_HOME"] || (home && join(home, ".config"));
  const docker = env["DOCKER_CONFIG"] || (home && join(home, ".docker"));
  return [
    env["XDG_RUNTIME_DIR"] && join(env["XDG_RUNTIME_DIR"], "containers/auth.json"),
    config && join(config, "containers/auth.json"),
    docker && join(docker, "config.json"),
  ].filter((file) => file !== undefined && file !== "") as string[];
}

/** A file's content; undefined where it is not there. Throws ImageError image-unauthorized for a broken one, without quoting it. */
export async function readAuthFile(file: string, reference: string): Promise<AuthFile | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw broken(reference, file, error.code ?? "it cannot be read");
  });
  if (bytes === undefined) return undefined;
  const json = parseJson(bytes);
  if (!isObject(json)) throw broken(reference, file, "it is not a JSON object");
  for (const key of ["auths", "credHelpers"]) {
    if (json[key] !== undefined && json[key] !== null && !isObject(json[key]))
      throw broken(reference, file, `its "${key}" is not an object`);
  }
  return json;
}

/** What a question for credentials may hear beside an answer: a helper that is named and not there, say. */
export type Note = (text: string) => void;

/**
 * What to log in with for a repository; undefined: nobody said. Per file: the helper that credHelpers names for the registry, the
 * most specific entry of auths, then credsStore. `helpers` as registries.conf has them. Throws ImageError image-unauthorized for
 * a broken file and for a helper that fails.
 */
export async function credentialsFor(
  host: string,
  repository: string,
  reference: string,
  env: Env,
  helpers: readonly string[] = [FILES],
  note: Note = () => undefined,
): Promise<Credentials | undefined> {
  for (const helper of helpers) {
    const found = helper === FILES ? await fromFiles(host, repository, reference, env, note) : await ask(helper, host, env);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function fromFiles(host: string, repository: string, reference: string, env: Env, note: Note): Promise<Credentials | undefined> {
  for (const file of credentialFiles(env)) {
    const json = await readAuthFile(file, reference);
    if (json === undefined && file === env["REGISTRY_AUTH_FILE"]) throw broken(reference, file, "ENOENT");
    const found = json === undefined ? undefined : await fromFile(json, file, host, repository, reference, env, note);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What one file says of a repository. */
async function fromFile(
  json: AuthFile,
  file: string,
  host: string,
  repository: string,
  reference: string,
  env: Env,
  note: Note,
): Promise<Credentials | undefined> {
  const helper = helperOf(json, host);
  if (helper !== undefined) return ask(helper, host, env);
  const auths = isObject(json["auths"]) ? json["auths"] : {};
  // Later keys of one name would win in JSON; here the most specific name wins, then the order of the file.
  for (const key of wanted(host, repository)) {
    for (const [name, entry] of Object.entries(auths)) {
      if (normaliseKey(name) !== key) continue;
      const found = readEntry(entry);
      if (found === "broken") throw broken(reference, file, `the entry of ${host} does not hold NAME:PASSWORD`);
      if (found !== undefined) return found;
    }
  }
  const store = json["credsStore"];
  if (typeof store !== "string" || store === "") return undefined;
  try {
    return await ask(store, host, env);
  } catch (error) {
    // docker goes on as anybody where its general helper does not work; most pulls need no login.
    note(`${error instanceof Error ? error.message : String(error)} (credsStore in ${file})`);
    return undefined;
  }
}

/** The helper that credHelpers names for a registry. */
export function helperOf(json: AuthFile, host: string): string | undefined {
  const helpers = isObject(json["credHelpers"]) ? json["credHelpers"] : {};
  const found = Object.entries(helpers).find(([name]) => normaliseKey(name) === host)?.[1];
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** Docker Hub has two names among helpers' users. */
export function helperKeys(host: string): string[] {
  return host === "docker.io" ? [HUB_KEY, host] : [host];
}

async function ask(name: string, host: string, env: Env): Promise<Credentials | undefined> {
  const { CredentialHelper } = await import("./credential-helper.js");
  const helper = new CredentialHelper(name, env);
  for (const key of helperKeys(host)) {
    const found = await helper.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `host/a/b`, `host/a`, `host`: the most specific first. */
function wanted(host: string, repository: string): string[] {
  const parts = repository.split("/").filter((part) => part !== "");
  return [...parts.map((_, i) => `${host}/${parts.slice(0, parts.length - i).join("/")}`), host];
}

function broken(reference: string, file: string, why: string): ImageError {
  return new ImageError(
    "image-unauthorized",
    reference,
    `${reference}: the login file ${file} is of no use: ${why}`,
    "Mend it, or log in anew.",
  );
}
