// What can go wrong on a bus, as errors that say what to do.
import { HostError } from "../../ports/host.js";

/** An error reply. `name` is the D-Bus name (`org.freedesktop.systemd1.NoSuchUnit`), `text` the peer's message. */
export class DbusError extends HostError {
  readonly text: string;
  constructor(name: string, text: string, hint?: string) {
    super(name, text, hint);
    this.name = name;
    this.text = text;
  }
}

/** There is no bus to talk to: not running, not reachable, or it refused us. */
export class NoBusError extends HostError {
  constructor(message: string, hint: string, cause?: unknown) {
    super("no-bus", message, hint, cause);
    this.name = "NoBusError";
  }
}

/** The connection ended; every call that was under way is rejected with one of these. */
export class BusClosedError extends HostError {
  constructor(why: string, cause?: unknown) {
    super("bus-closed", why, "see whether the user manager still runs: systemctl --user status", cause);
    this.name = "BusClosedError";
  }
}

/** A call had no answer in time. */
export class BusTimeoutError extends HostError {
  constructor(member: string, milliseconds: number) {
    super("bus-timeout", `no answer to ${member} within ${milliseconds} ms`, "the manager may be busy: systemctl --user list-jobs");
    this.name = "BusTimeoutError";
  }
}
