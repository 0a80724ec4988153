// The session: runtime folder, bus, manager, linger.
import { fail, type Outcome, ok, warn } from "../outcome.js";

const TMPFS = 0x01021994; // statfs(2)
const RAMFS = 0x858458f6;

export interface RuntimeFolder {
  readonly path: string | undefined;
  /** Undefined where there is none. */
  readonly found: { readonly folder: boolean; readonly mode: number; readonly uid: number; readonly filesystem: number } | undefined;
}

export function decideRuntimeFolder({ path, found }: RuntimeFolder, uid: number, user: string): Outcome {
  const login = `sudo loginctl enable-linger ${user}\nexport XDG_RUNTIME_DIR=/run/user/${uid}`;
  if (!path) return fail("XDG_RUNTIME_DIR is not set: this is no real session (su and sudo make none)", login);
  if (!path.startsWith("/")) return fail(`XDG_RUNTIME_DIR=${path} is not absolute`, `export XDG_RUNTIME_DIR=/run/user/${uid}`);
  if (!found?.folder) return fail(`${path} is not there: the user's session has ended, or never began`, login);
  if (found.uid !== uid) return fail(`${path} belongs to uid ${found.uid}, not to you`, `export XDG_RUNTIME_DIR=/run/user/${uid}`);
  const mode = found.mode & 0o7777;
  if (mode !== 0o700)
    return fail(`${path} has mode 0${mode.toString(8)}, so that others may get at it; it must be 0700`, `chmod 0700 ${path}`);
  if (found.filesystem !== TMPFS && found.filesystem !== RAMFS)
    return warn(
      `${path} is on disk: secrets given to containers would be written there`,
      `sudo systemctl restart user-runtime-dir@${uid}.service`,
    );
  return ok(`${path}, in memory, 0700`);
}

export interface BusFacts {
  /** Undefined when the manager was reached. */
  readonly error: { readonly message: string; readonly hint: string | undefined } | undefined;
  /** Reached over systemd's private socket, since there is no bus. */
  readonly direct: boolean;
  readonly version: number;
}

/** podgen's units were tried from this version on (UNITS.md). */
const OLDEST = 252;

export function decideBus({ error, direct, version }: BusFacts, install: string, user: string): Outcome {
  if (error) return fail(`${error.message}. ${error.hint ?? ""}`.trim(), `sudo loginctl enable-linger ${user}`);
  if (version < OLDEST) return warn(`systemd ${version} answers; podgen is tried with ${OLDEST} and later`);
  if (direct)
    return warn(
      `systemd ${version} answers, but only on its private socket: this session has no D-Bus bus`,
      `${install}\nsystemctl --user start dbus.socket`,
    );
  return ok(`systemd ${version} answers`);
}

const CONTROL = "/systemd/user.control";

/** The manager must look into the folder we write to: its XDG_CONFIG_HOME may be another than ours. */
export function decideUnitFolders(folders: readonly string[], units: string): Outcome {
  if (folders.includes(units)) return ok(units);
  // The manager's own environment is that of its start; what is imported into it later is for the units it runs. So the
  // shell has to follow: this folder of the search path (systemd.unit(5)) is the manager's configuration folder.
  const theirs = folders.find((folder) => folder.endsWith(CONTROL) && !folder.startsWith("/run/"))?.slice(0, -CONTROL.length);
  return fail(
    `the user manager does not read ${units}: it was started with another XDG_CONFIG_HOME or HOME than this shell has`,
    theirs === undefined ? undefined : `export XDG_CONFIG_HOME=${theirs}`,
  );
}

export function decideLinger(enabled: boolean, user: string): Outcome {
  if (enabled) return ok(`on: ${user}'s pods start at boot`);
  return warn(`off: ${user}'s pods start at the first login and end with the last`, "podgen linger enable");
}
