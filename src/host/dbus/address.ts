// Which socket to connect to for the user's manager: a pure reading of the environment.

/** A socket to try. `direct` is systemd's own, without a bus in between: no names, no match rules. */
export interface BusAddress {
  readonly path: string;
  readonly direct: boolean;
}

export interface Addresses {
  readonly candidates: readonly BusAddress[];
  /** Why the environment gave fewer candidates than it could have; for NoBusError. */
  readonly problems: readonly string[];
}

/** D-Bus escapes bytes in address values as %XX (D-Bus specification, "Server Addresses"). */
function unescapeValue(value: string): string {
  return value.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * The socket paths of a D-Bus address list, in order; a name in the abstract namespace begins with NUL, as Node wants it.
 * Transports other than unix are left out: rootless systemd has none.
 */
export function unixPaths(address: string): string[] {
  return address.split(";").flatMap((one) => {
    if (!one.startsWith("unix:")) return [];
    const values = new Map(
      one
        .slice("unix:".length)
        .split(",")
        .map((pair): [string, string] => {
          const equals = pair.indexOf("=");
          return equals < 0 ? [pair, ""] : [pair.slice(0, equals), unescapeValue(pair.slice(equals + 1))];
        }),
    );
    const path = values.get("path");
    const abstract = values.get("abstract");
    return path ? [path] : abstract ? [`\0${abstract}`] : [];
  });
}

/**
 * Sockets of the user's bus, best first: DBUS_SESSION_BUS_ADDRESS, then `$XDG_RUNTIME_DIR/bus`, then systemd's private
 * socket, which is there without any dbus-daemon.
 */
export function userAddresses(env: NodeJS.ProcessEnv): Addresses {
  const problems: string[] = [];
  const candidates: BusAddress[] = [];
  const add = (path: string, direct: boolean) => {
    if (!candidates.some((c) => c.path === path)) candidates.push({ path, direct });
  };
  const address = env["DBUS_SESSION_BUS_ADDRESS"];
  if (address) {
    const paths = unixPaths(address);
    if (paths.length === 0) problems.push(`DBUS_SESSION_BUS_ADDRESS=${address} names no unix socket`);
    for (const path of paths) add(path, false);
  } else {
    problems.push("DBUS_SESSION_BUS_ADDRESS is not set");
  }
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime?.startsWith("/")) {
    add(`${runtime}/bus`, false);
    add(`${runtime}/systemd/private`, true);
  } else {
    problems.push(runtime ? `XDG_RUNTIME_DIR=${runtime} is not absolute` : "XDG_RUNTIME_DIR is not set");
  }
  return { candidates, problems };
}

/** Sockets of the system bus (D-Bus specification, "System message bus"). */
export function systemAddresses(env: NodeJS.ProcessEnv): Addresses {
  const paths = unixPaths(
    env["DBUS_SYSTEM_BUS_ADDRESS"] || "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket",
  );
  return { candidates: paths.map((path) => ({ path, direct: false })), problems: [] };
}

/** What to do when the user's bus is not there. */
export function userBusHint(user: string): string {
  return (
    `log in as ${user} over ssh or a console (su and sudo make no session), or run: machinectl shell ${user}@ ; ` +
    `to have the manager run without a login: sudo loginctl enable-linger ${user}`
  );
}
