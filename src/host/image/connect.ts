// Opens the session of one registry: how it is spoken to, with whose certificates.
import { authoritiesFor, hasCertificates } from "./certificates.js";
import type { Deadlines } from "./deadlines.js";
import { HttpClient } from "./http.js";
import type { RegistryReference } from "./reference.js";
import { RegistrySession } from "./session.js";

type Env = Readonly<Record<string, string | undefined>>;

/** A session; nothing is sent yet. `scopes`: what a token is asked for, where it is not to read the repository alone. */
export async function connect(
  reference: RegistryReference,
  deadlines: Deadlines,
  env: Env,
  scopes?: readonly string[],
): Promise<RegistrySession> {
  const http = new HttpClient(deadlines, (name) => authoritiesFor(name, env));
  return new RegistrySession(reference, http, deadlines, env, await hasCertificates(reference.host, env), scopes);
}
