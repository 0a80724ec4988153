// Linger: whether logind keeps the user's manager running without a login. Over the system bus.
import { access } from "node:fs/promises";
import { HostError, type Linger, type LingerStatus } from "../../ports/host.js";
import type { Call, Connection } from "../dbus/connection.js";
import { DbusError, NoBusError } from "../dbus/errors.js";
import { openSystemBus } from "../dbus/open.js";

const LOGIND = "org.freedesktop.login1";
const MANAGER: Pick<Call, "destination" | "path" | "interface"> = {
  destination: LOGIND,
  path: "/org/freedesktop/login1",
  interface: "org.freedesktop.login1.Manager",
};

/** logind's own marks, one empty file per user (loginctl(1), enable-linger). */
const MARKS = "/var/lib/systemd/linger";

/** A person may be asked for a password by polkit's agent; milliseconds. */
const ASK_TIMEOUT = 120_000;

const DENIED = new Set([
  "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
  "org.freedesktop.DBus.Error.AccessDenied",
  "org.freedesktop.PolicyKit1.Error.NotAuthorized",
]);

export class LogindLinger implements Linger {
  readonly #env: NodeJS.ProcessEnv;
  readonly #user: string;
  readonly #uid: number;
  readonly #marks: string;

  constructor(env: NodeJS.ProcessEnv, user: string, uid: number, marks = MARKS) {
    this.#env = env;
    this.#user = user;
    this.#uid = uid;
    this.#marks = marks;
  }

  /** logind's word where it knows the user, else the mark it would read at boot. */
  async status(): Promise<LingerStatus> {
    const known = await this.#property().catch(() => undefined);
    if (known !== undefined) return { enabled: known, source: "logind" };
    const marked = await access(`${this.#marks}/${this.#user}`).then(
      () => true,
      () => false,
    );
    return { enabled: marked, source: "file" };
  }

  async set(enable: boolean): Promise<void> {
    const command = `loginctl ${enable ? "enable" : "disable"}-linger ${this.#user}`;
    try {
      await this.#withBus((bus) =>
        bus.call({
          ...MANAGER,
          member: "SetUserLinger",
          signature: "ubb",
          body: [this.#uid, enable, true],
          interactive: true,
          timeout: ASK_TIMEOUT,
        }),
      );
    } catch (error) {
      throw explain(error, command);
    }
  }

  async #property(): Promise<boolean | undefined> {
    return this.#withBus(async (bus) => {
      const user = await bus.call({ ...MANAGER, member: "GetUser", signature: "u", body: [this.#uid] });
      const reply = await bus.call({
        destination: LOGIND,
        path: user.bodyReader().string(),
        interface: "org.freedesktop.DBus.Properties",
        member: "Get",
        signature: "ss",
        body: ["org.freedesktop.login1.User", "Linger"],
      });
      const [value] = reply.body();
      return typeof value === "boolean" ? value : undefined;
    });
  }

  async #withBus<T>(work: (bus: Connection) => Promise<T>): Promise<T> {
    const bus = await openSystemBus(this.#env);
    try {
      return await work(bus);
    } finally {
      bus.close();
    }
  }
}

/** What a failed SetUserLinger means and what to do. */
function explain(error: unknown, command: string): unknown {
  if (error instanceof NoBusError) {
    return new HostError(
      "linger-unavailable",
      `linger is logind's, and ${error.message}`,
      "boot this machine with systemd and dbus",
      error,
    );
  }
  if (!(error instanceof DbusError)) return error;
  if (DENIED.has(error.name)) {
    return new HostError(
      "linger-denied",
      `polkit does not let you change linger (${error.text})`,
      `ask someone who may: sudo ${command}`,
      error,
    );
  }
  if (error.name === "org.freedesktop.DBus.Error.ServiceUnknown" || error.name.startsWith("org.freedesktop.DBus.Error.Spawn.")) {
    return new HostError("linger-unavailable", `logind does not run here (${error.text})`, "see: systemctl status systemd-logind", error);
  }
  return error;
}
