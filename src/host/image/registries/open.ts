// Sessions with the registries that serve a reference: mirrors first, as registries.conf has them, the primary location last.
import { type Credentials, matchingLogins, type RegistryLogin } from "../../../base/registry-login.js";
import { hasCertificates, type Trust, trustFor } from "../certificates.js";
import { credentialsFor } from "../credentials.js";
import type { Deadlines } from "../deadlines.js";
import { HttpClient } from "../http.js";
import type { RegistryReference } from "../reference.js";
import { type Logins, RegistrySession } from "../session.js";
import { loadRegistries } from "./load.js";
import { type Endpoint, endpointsFor, entryFor } from "./match.js";
import type { Registries } from "./types.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface Access {
  readonly env: Env;
  readonly deadlines: Deadlines;
  /** Tried before the user's own: a pod's pull secrets. */
  readonly logins?: readonly RegistryLogin[];
  /** This one in the place of all others. */
  readonly only?: Credentials;
  /** Instead of what registries.conf says of the reference's own host: true takes any certificate, or plain HTTP; false wants TLS also on loopback. */
  readonly insecure?: boolean;
  /** Of the tokens to ask for; see SessionOptions. */
  readonly scopes?: readonly string[];
}

/** For reading. At least one; nothing is connected yet. Throws ImageError image-refused (blocked) and image-config. */
export async function openSessions(reference: RegistryReference, access: Access): Promise<RegistrySession[]> {
  const registries = await loadRegistries(access.env);
  return Promise.all(endpointsFor(reference, registries).map((endpoint) => openSession(endpoint, access, registries)));
}

/** For writing: the name as it is, as neither mirrors nor other locations are written to. Throws as openSessions. */
export async function openForWriting(reference: RegistryReference, access: Access): Promise<RegistrySession> {
  const registries = await loadRegistries(access.env);
  const last = endpointsFor(reference, registries).at(-1);
  return openSession({ reference, insecure: last?.insecure === true, mirror: false }, access, registries);
}

export async function openSession(endpoint: Endpoint, access: Access, registries: Registries): Promise<RegistrySession> {
  const { reference } = endpoint;
  const { env, deadlines, scopes } = access;
  // A mirror is another host, of which nothing was said.
  const insecure = endpoint.mirror ? endpoint.insecure : (access.insecure ?? endpoint.insecure);
  const trust = async (host: string): Promise<Trust> => {
    const lax = host === reference.host ? insecure : entryFor(host, registries)?.insecure === true;
    return { ...(await trustFor(host, env)), ...(lax ? { insecure: true } : {}) };
  };
  const secure = access.insecure === false || (await hasCertificates(reference.host, env));
  const logins = () => loginsFor(reference, access, registries);
  return new RegistrySession(reference, new HttpClient(deadlines, trust), deadlines, {
    logins,
    secure,
    insecure,
    ...(scopes === undefined ? {} : { scopes }),
  });
}

/** The given ones that fit, then the user's own. */
async function loginsFor(reference: RegistryReference, { env, logins = [], only }: Access, registries: Registries): Promise<Logins> {
  if (only !== undefined) return { candidates: [only], notes: [] };
  const { host, repository, text } = reference;
  const notes: string[] = [];
  const own = await credentialsFor(host, repository, text, env, registries.helpers, (note) => notes.push(note));
  return { candidates: [...matchingLogins(logins, host, repository), ...(own === undefined ? [] : [own])], notes };
}
