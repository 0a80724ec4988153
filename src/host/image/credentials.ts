// User names and passwords for registries, from the files podman and docker log in to (containers-auth.json(5)).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../ports/images.js";
import { isObject, parseJson } from "./json.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

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

/** What to log in with for a repository; undefined: nobody said. Throws ImageError image-unauthorized for a broken file. */
export async function credentialsFor(host: string, repository: string, reference: string, env: Env): Promise<Credentials | undefined> {
  const keys = wanted(host, repository);
  for (const file of credentialFiles(env)) {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if ((error.code === "ENOENT" || error.code === "ENOTDIR") && file !== env["REGISTRY_AUTH_FILE"]) return undefined;
      throw broken(reference, file, error.code ?? "it cannot be read");
    });
    if (bytes === undefined) continue;
    const json = parseJson(bytes);
    if (!isObject(json)) throw broken(reference, file, "it is not a JSON object");
    const auths = isObject(json["auths"]) ? json["auths"] : {};
    // Later keys of one name would win in JSON; here the most specific name wins, then the order of the file.
    for (const key of keys) {
      for (const [name, entry] of Object.entries(auths)) {
        if (normalised(name) !== key || !isObject(entry) || typeof entry["auth"] !== "string" || entry["auth"] === "") continue;
        const text = Buffer.from(entry["auth"], "base64").toString("utf8").replace(/\0+$/, "");
        const colon = text.indexOf(":");
        if (colon < 0) throw broken(reference, file, `the entry of ${host} does not hold NAME:PASSWORD`);
        return { username: text.slice(0, colon), password: text.slice(colon + 1) };
      }
    }
  }
  return undefined;
}

/** `host/a/b`, `host/a`, `host`: the most specific first. */
function wanted(host: string, repository: string): string[] {
  const parts = repository.split("/");
  return [...parts.map((_, i) => `${host}/${parts.slice(0, parts.length - i).join("/")}`), host];
}

/** docker writes `https://index.docker.io/v1/` and others with a scheme; podman writes plain names. */
function normalised(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
  return bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare;
}

function broken(reference: string, file: string, why: string): ImageError {
  return new ImageError(
    "image-unauthorized",
    reference,
    `${reference}: the login file ${file} is of no use: ${why}`,
    "Mend it, or log in anew.",
  );
}
