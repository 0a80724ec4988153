// Where things are: the XDG base directory rules, as a pure reading of the environment.
import type { Paths } from "../../base/facts.js";

/**
 * Folders of one user. Variables that are unset, empty or relative count as unset (XDG Base Directory Specification);
 * `home` and `runtime` are what to use then.
 */
export function readPaths(env: Readonly<Record<string, string | undefined>>, home: string, runtime: string): Paths {
  const absolute = (name: string): string | undefined => {
    const value = env[name];
    return value?.startsWith("/") ? trimSlashes(value) : undefined;
  };
  const root = absolute("HOME") ?? home;
  const settings = absolute("XDG_CONFIG_HOME") ?? `${root}/.config`;
  const data = `${absolute("XDG_DATA_HOME") ?? `${root}/.local/share`}/podgen`;
  return {
    home: root,
    units: `${settings}/systemd/user`,
    data,
    state: `${absolute("XDG_STATE_HOME") ?? `${root}/.local/state`}/podgen`,
    run: `${absolute("XDG_RUNTIME_DIR") ?? runtime}/podgen`,
    settings: `${settings}/podgen`,
    podrt: `${data}/bin/podrt`,
  };
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}
