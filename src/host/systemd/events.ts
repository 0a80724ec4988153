// The manager's signals: subscribed once, before anything that waits for them.
import type { Connection } from "../dbus/connection.js";
import { DbusError } from "../dbus/errors.js";
import { MANAGER_PATH, managerCall, PROPERTIES, SYSTEMD } from "./names.js";

const RULES = {
  manager: `type='signal',sender='${SYSTEMD}',path='${MANAGER_PATH}'`,
  units: `type='signal',sender='${SYSTEMD}',interface='${PROPERTIES}',path_namespace='${MANAGER_PATH}/unit'`,
  owner: `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
};

export class Events {
  readonly #connection: Connection;
  #jobs: Promise<void> | undefined;
  #units: Promise<void> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Ends when JobRemoved and NameOwnerChanged will reach us. */
  jobs(): Promise<void> {
    this.#jobs ??= this.#subscribe([RULES.manager, RULES.owner]);
    return this.#jobs;
  }

  /** Ends when PropertiesChanged of units will reach us, and Reloading. */
  units(): Promise<void> {
    this.#units ??= this.#subscribe([RULES.units, RULES.manager, RULES.owner]);
    return this.#units;
  }

  /** Tells the manager that somebody listens. Match rules come first, so that nothing falls in between. */
  async #subscribe(rules: readonly string[]): Promise<void> {
    await Promise.all(rules.map((rule) => this.#connection.addMatch(rule)));
    await this.resubscribe();
  }

  /** After the manager executed itself anew it remembers us, or not. */
  async resubscribe(): Promise<void> {
    try {
      await this.#connection.call(managerCall("Subscribe"));
    } catch (error) {
      if (!(error instanceof DbusError && error.name === "org.freedesktop.systemd1.AlreadySubscribed")) throw error;
    }
  }
}
