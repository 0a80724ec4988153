// Logging in to registries and out of them: asked of the registry first, stored then.
import { type Credentials, normaliseKey, readEntry } from "../../base/registry-login.js";
import { ImageError } from "../../ports/images.js";
import type { LoggedIn, LoginOptions, Logins } from "../../ports/logins.js";
import { authFilePath, dropLogins, storeLogin } from "./auth-file.js";
import { credentialFiles, credentialsFor, helperOf, readAuthFile } from "./credentials.js";
import { DEADLINES, type Deadlines } from "./deadlines.js";
import { discard } from "./http.js";
import { isObject } from "./json.js";
import type { RegistryReference } from "./reference.js";
import { loadRegistries } from "./registries/load.js";
import { entryFor } from "./registries/match.js";
import { openSession } from "./registries/open.js";

type Env = Readonly<Record<string, string | undefined>>;

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
const PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;

export class RegistryLogins implements Logins {
  readonly #env: Env;
  readonly #deadlines: Deadlines;

  constructor(env: Env, deadlines: Partial<Deadlines> = {}) {
    this.#env = env;
    this.#deadlines = { ...DEADLINES, ...deadlines };
  }

  async registry(name: string | undefined): Promise<string> {
    const text = name ?? (await loadRegistries(this.#env)).search[0];
    if (text === undefined)
      throw new ImageError(
        "image-bad",
        "",
        "no registry is named, and registries.conf has none to search",
        "Name one: podgen image login HOST",
      );
    const key = normaliseKey(text);
    const [host = "", ...parts] = key.split("/");
    if (HOST.test(host) && parts.every((p) => PART.test(p))) return key;
    throw new ImageError("image-bad", text, `${text} is no registry`, "Write host[:port], or host[:port]/namespace; no tag, no digest.");
  }

  async who(registry: string, { authFile }: LoginOptions): Promise<Credentials | undefined> {
    const [host, repository] = split(registry);
    const env = authFile === undefined ? this.#env : { ...this.#env, REGISTRY_AUTH_FILE: authFile };
    const chosen = env["REGISTRY_AUTH_FILE"];
    // A file that login is to make is not there yet.
    if (chosen && (await readAuthFile(chosen, registry)) === undefined) return undefined;
    return credentialsFor(host, repository, registry, env, (await loadRegistries(this.#env)).helpers);
  }

  async login(registry: string, credentials: Credentials, options: LoginOptions, keep = true): Promise<LoggedIn> {
    const verified = await this.#verify(registry, credentials, options.tlsVerify);
    const { username } = credentials;
    if (!keep) return { registry, username, verified };
    const place = await storeLogin(authFilePath(this.#env, options.authFile), registry, credentials, this.#env);
    return { registry, username, place, verified };
  }

  logout(registry: string | undefined, { authFile }: LoginOptions): Promise<readonly string[]> {
    return dropLogins(authFilePath(this.#env, authFile), registry, this.#env);
  }

  async elsewhere(registry: string, { authFile }: LoginOptions): Promise<readonly string[]> {
    const used = authFilePath(this.#env, authFile);
    const found: string[] = [];
    for (const file of credentialFiles(this.#env).filter((f) => f !== used)) {
      const json = await readAuthFile(file, registry);
      const auths = isObject(json?.["auths"]) ? json["auths"] : {};
      const holds = Object.entries(auths).some(([key, entry]) => normaliseKey(key) === registry && readEntry(entry) !== undefined);
      if (json !== undefined && (holds || helperOf(json, registry) !== undefined)) found.push(file);
    }
    return found;
  }

  /** False: the registry let us in before it was told who we are. Throws ImageError image-unauthorized where it says no. */
  async #verify(registry: string, credentials: Credentials, tlsVerify: boolean): Promise<boolean> {
    const [host] = split(registry);
    const registries = await loadRegistries(this.#env);
    const reference: RegistryReference = { kind: "registry", text: registry, host, repository: "" };
    const insecure = !tlsVerify || entryFor(registry, registries)?.insecure === true;
    const access = { env: this.#env, deadlines: this.#deadlines, only: credentials, scopes: [] };
    const session = await openSession({ reference, insecure, mirror: false }, access, registries);
    const answer = await session.open("/v2/", { method: "GET", headers: {} }).catch((error: unknown) => {
      if (!(error instanceof ImageError) || error.code !== "image-unauthorized") throw error;
      const why = /\(([^()]*)\)$/.exec(error.message)?.[1] ?? "it says no";
      throw new ImageError("image-unauthorized", registry, `${registry}: the registry does not take this user name and password (${why})`);
    });
    discard(answer);
    if (answer.status !== 200)
      throw new ImageError("image-unreachable", registry, `${registry}: is no registry (HTTP ${answer.status} for /v2/)`);
    return session.loggedIn;
  }
}

function split(registry: string): [string, string] {
  const slash = registry.indexOf("/");
  return slash < 0 ? [registry, ""] : [registry.slice(0, slash), registry.slice(slash + 1)];
}
