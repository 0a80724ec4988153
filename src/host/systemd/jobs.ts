// Jobs: queued, and waited for by their JobRemoved signal; after a restart of the manager the truth is asked instead.
import type { Job, JobResult } from "../../ports/manager.js";
import type { Connection } from "../dbus/connection.js";
import { BusClosedError, DbusError } from "../dbus/errors.js";
import type { Message } from "../dbus/message.js";
import type { Events } from "./events.js";
import { getCall, isAway, managerCall, SYSTEMD } from "./names.js";
import { readUnit } from "./states.js";

const JOB = "org.freedesktop.systemd1.Job";

/** How long the manager may be off the bus, while it executes itself anew, before waits are given up. */
const AWAY_LIMIT = 10_000;

export type Verb = "StartUnit" | "StopUnit" | "RestartUnit";

interface Waiting {
  readonly path: string;
  readonly unit: string;
  readonly verb: Verb;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: Error) => void;
}

export class Jobs {
  readonly #connection: Connection;
  readonly #events: Events;
  /** Several may wait for one job: systemd merges what is asked twice. */
  readonly #waiting = new Set<Waiting>();
  /** Results that came while a call that queues a job had no reply yet: JobRemoved may overtake the reply. */
  readonly #early = new Map<string, JobResult>();
  #queueing = 0;
  #away: NodeJS.Timeout | undefined;

  constructor(connection: Connection, events: Events) {
    this.#connection = connection;
    this.#events = events;
    connection.onSignal((message) => this.#hear(message));
    connection.onEnd(() => clearTimeout(this.#away));
  }

  /**
   * Queues a job in mode `replace`; its result comes `deadline` milliseconds from now at most. A job that outlives the
   * deadline stays queued. Rejects with DbusError (no such unit …) or BusClosedError.
   */
  async queue(verb: Verb, unit: string, deadline: number): Promise<Job> {
    const end = performance.now() + deadline;
    await this.#events.jobs();
    this.#queueing++;
    try {
      const reply = await this.#connection.call(managerCall(verb, "ss", [unit, "replace"]));
      const path = reply.bodyReader().string();
      const early = this.#early.get(path);
      const result = early === undefined ? this.#wait(path, unit, verb, end - performance.now()) : Promise.resolve(early);
      // Who queued it may look at the result later, or never.
      result.catch(() => undefined);
      return { result };
    } finally {
      if (--this.#queueing === 0) this.#early.clear();
    }
  }

  /** The same, and waits for the job's end. */
  async run(verb: Verb, unit: string, deadline: number): Promise<JobResult> {
    return (await this.queue(verb, unit, deadline)).result;
  }

  #wait(path: string, unit: string, verb: Verb, milliseconds: number): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      let forget = () => {};
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          forget();
          then(value);
        };
      const timer = setTimeout(() => settle(resolve)("deadline"), Math.max(0, milliseconds));
      const waiting: Waiting = { path, unit, verb, resolve: settle(resolve), reject: settle(reject) };
      this.#waiting.add(waiting);
      // Also when it ended between the reply and now.
      forget = this.#connection.onEnd(settle(reject));
    });
  }

  #hear(message: Message): void {
    if (message.member === "JobRemoved") {
      const [, path, , result] = message.body();
      if (typeof path !== "string" || typeof result !== "string") return;
      for (const waiting of [...this.#waiting]) if (waiting.path === path) waiting.resolve(result);
      if (this.#queueing > 0) this.#early.set(path, result);
    } else if (message.member === "NameOwnerChanged") {
      const [name, , owner] = message.body();
      if (name === SYSTEMD) this.#ownerChanged(owner !== "");
    }
  }

  #ownerChanged(present: boolean): void {
    clearTimeout(this.#away);
    if (present) void this.#reconcile();
    else this.#away = setTimeout(() => this.#rejectAll(new BusClosedError("the user manager left the bus")), AWAY_LIMIT);
  }

  /** The manager is back on the bus; jobs may have ended unheard. */
  async #reconcile(): Promise<void> {
    try {
      await this.#events.resubscribe();
      await Promise.all([...this.#waiting].map((waiting) => this.#recheck(waiting)));
    } catch (error) {
      // Gone again: another NameOwnerChanged follows, or the connection's end.
      if (!(error instanceof DbusError && isAway(error.name))) this.#rejectAll(asError(error));
    }
  }

  async #recheck(waiting: Waiting): Promise<void> {
    try {
      await this.#connection.call(getCall(waiting.path, JOB, "State"));
    } catch (error) {
      if (!(error instanceof DbusError) || isAway(error.name)) throw error;
      const unit = await readUnit(this.#connection, waiting.unit);
      const wanted = waiting.verb === "StopUnit" ? ["inactive", "failed"] : ["active", "reloading"];
      waiting.resolve(wanted.includes(unit.activeState) ? "done" : "failed");
    }
  }

  #rejectAll(why: Error): void {
    clearTimeout(this.#away);
    for (const waiting of [...this.#waiting]) waiting.reject(why);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
