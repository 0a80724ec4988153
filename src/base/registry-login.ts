// A login for a registry, from a file of podman's or docker's or from a pull Secret: the shape all of them have.

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth2 refresh token that stands in for the password (docker's `identitytoken`). */
  readonly identityToken?: string;
}

/** Credentials with the part of the registries' names they are for: `host[:port][/path]`, `*` within one label of the host. */
export interface RegistryLogin extends Credentials {
  readonly key: string;
}

/** docker writes `https://index.docker.io/v1/` and others with a scheme; podman writes plain names. */
export function normaliseKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
  return bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare;
}

/**
 * One entry of `auths`: `auth` is base64 of NAME:PASSWORD, or the two stand apart (a dockercfg). undefined: it holds nothing
 * (docker leaves such entries where a helper has the password); "broken": it holds something that is no login.
 */
export function readEntry(entry: unknown): Credentials | "broken" | undefined {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "broken";
  const { auth, username, password, identitytoken } = entry as Readonly<Record<string, unknown>>;
  const texts = [auth, username, password, identitytoken];
  if (texts.some((t) => t !== undefined && typeof t !== "string")) return "broken";
  const [user, secret] = typeof auth === "string" && auth !== "" ? split(auth) : [username, password];
  const token = typeof identitytoken === "string" && identitytoken !== "" ? { identityToken: identitytoken } : {};
  if (user === undefined || secret === undefined) {
    if (typeof auth === "string" && auth !== "") return "broken";
    return "identityToken" in token ? { username: "", password: "", ...token } : undefined;
  }
  return { username: String(user), password: String(secret), ...token };
}

function split(auth: string): [string, string] | [undefined, undefined] {
  const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Those for a repository, the most specific first. */
export function matchingLogins(logins: readonly RegistryLogin[], host: string, repository: string): RegistryLogin[] {
  return logins.filter((login) => matches(login.key, host, repository)).sort((a, b) => b.key.length - a.key.length);
}

function matches(key: string, host: string, repository: string): boolean {
  const slash = key.indexOf("/");
  const [name, path] = slash < 0 ? [key, ""] : [key.slice(0, slash), key.slice(slash + 1)];
  const pattern = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  if (!new RegExp(`^${pattern.join("[^.]*")}$`).test(host)) return false;
  return path === "" || repository === path || repository.startsWith(`${path}/`);
}
