// What the checks of session, bus and journal need to know.
import { stat, statfs } from "node:fs/promises";
import { HostError } from "../../../ports/host.js";
import { openUserBus } from "../../dbus/open.js";
import { Journalctl } from "../../journal/journal.js";
import { SystemdManager } from "../../systemd/manager.js";
import type { Subject } from "../outcome.js";
import type { BusFacts, RuntimeFolder } from "../rules/session.js";

export async function readRuntimeFolder({ env }: Subject): Promise<RuntimeFolder> {
  const path = env["XDG_RUNTIME_DIR"] || undefined;
  if (path === undefined) return { path, found: undefined };
  try {
    const [found, fs] = await Promise.all([stat(path), statfs(path)]);
    return { path, found: { folder: found.isDirectory(), mode: found.mode, uid: found.uid, filesystem: fs.type } };
  } catch {
    return { path, found: undefined };
  }
}

/** Version, the folders the manager reads units from, and the PATH of units ("" where it does not answer). */
export async function readBus({ env, paths }: Subject): Promise<BusFacts & { readonly folders: readonly string[]; readonly path: string }> {
  try {
    const connection = await openUserBus(env);
    const manager = new SystemdManager(connection, paths.run);
    try {
      const [version, folders, path] = await Promise.all([manager.version(), manager.unitFolders(), manager.searchPath()]);
      return { error: undefined, direct: connection.direct, version, folders, path };
    } finally {
      await manager.close();
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { error, direct: false, version: 0, folders: [], path: "" };
  }
}

/** Reads one line of a unit that every user has; what comes does not matter, only that it may be asked. */
export async function readOwnJournal({ env }: Subject): Promise<HostError | undefined> {
  try {
    for await (const _ of new Journalctl(env).read({ units: ["init.scope"], lines: 1 })) break;
    return undefined;
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}
