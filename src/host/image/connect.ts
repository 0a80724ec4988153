// Opens the session of one registry under the very name that was given: mirrors are for reading only (registries/open.ts).
import type { Side } from "../../ports/image-copy.js";
import type { Deadlines } from "./deadlines.js";
import type { RegistryReference } from "./reference.js";
import { type Access, openForWriting } from "./registries/open.js";
import type { RegistrySession } from "./session.js";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * A session; nothing is sent yet. `scopes`: what a token is asked for, where it is not to read the repository alone. Throws
 * ImageError image-refused where registries.conf blocks it.
 */
export function connect(
  reference: RegistryReference,
  deadlines: Deadlines,
  env: Env,
  scopes?: readonly string[],
  side?: Side,
): Promise<RegistrySession> {
  return openForWriting(reference, { deadlines, ...(scopes === undefined ? {} : { scopes }), ...accessOf(reference, env, side) });
}

/** What a command says of a registry, as sessions are told it: the login is for no other host, a mirror's say. */
export function accessOf(
  { host }: Pick<RegistryReference, "host">,
  env: Env,
  { login, authFile, verify }: Side = {},
): Pick<Access, "env" | "logins" | "insecure"> {
  return {
    env: authFile === undefined ? env : { ...env, REGISTRY_AUTH_FILE: authFile },
    ...(login === undefined ? {} : { logins: [{ key: host, ...login }] }),
    ...(verify === undefined ? {} : { insecure: !verify }),
  };
}
