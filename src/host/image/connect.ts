// Opens the session of one registry under the very name that was given: mirrors are for reading only (registries/open.ts).
import type { Deadlines } from "./deadlines.js";
import type { RegistryReference } from "./reference.js";
import { openForWriting } from "./registries/open.js";
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
): Promise<RegistrySession> {
  return openForWriting(reference, { deadlines, env, ...(scopes === undefined ? {} : { scopes }) });
}
