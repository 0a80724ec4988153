// Opens the user's bus or the system bus, or says why there is none and what to do.
import { userInfo } from "node:os";
import { type Addresses, systemAddresses, userAddresses, userBusHint } from "./address.js";
import { Connection } from "./connection.js";
import { NoBusError } from "./errors.js";

/** Tries each socket in turn; returns the first that answers, or every reason. */
async function first(addresses: Addresses): Promise<Connection | { reasons: string[]; cause: unknown }> {
  const reasons = [...addresses.problems];
  let cause: unknown;
  for (const address of addresses.candidates) {
    try {
      return await Connection.connect(address);
    } catch (error) {
      cause = error;
      reasons.push(`${address.path.replace("\0", "@")}: ${explain(error)}`);
    }
  }
  return { reasons, cause };
}

/** Socket errors in words. */
function explain(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such socket",
    ECONNREFUSED: "nobody listens on the socket",
    EACCES: "the socket is another user's",
    EPIPE: "the bus refused us: it is another user's",
    ECONNRESET: "the bus refused us: it is another user's",
  };
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Connects to the user's manager: over the session bus, else over systemd's private socket. Throws NoBusError. */
export async function openUserBus(env: NodeJS.ProcessEnv): Promise<Connection> {
  const result = await first(userAddresses(env));
  if (result instanceof Connection) return result;
  throw new NoBusError(
    `cannot reach the systemd user manager: ${result.reasons.join("; ")}`,
    userBusHint(userInfo().username),
    result.cause,
  );
}

/** Connects to the system bus. Throws NoBusError. */
export async function openSystemBus(env: NodeJS.ProcessEnv): Promise<Connection> {
  const result = await first(systemAddresses(env));
  if (result instanceof Connection) return result;
  throw new NoBusError(
    `cannot reach the system bus: ${result.reasons.join("; ")}`,
    "this machine has no D-Bus system daemon, or it does not run: systemctl status dbus",
    result.cause,
  );
}
