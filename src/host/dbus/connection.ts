// One D-Bus connection: every call has a deadline, and when the connection ends nothing is left waiting.
// dbus-next authenticates. Its MessageBus is not used: calls that are pending when the peer goes never settle there, it
// has no time-outs, it leaks match rules, it insists on a bus daemon (Hello); nor its codec, see reader.ts and writer.ts.
import { createConnection, type Socket } from "node:net";
import type { BusAddress } from "./address.js";
import { BusClosedError, BusTimeoutError, DbusError } from "./errors.js";
import { ERROR, METHOD_RETURN, type Message, SIGNAL, Splitter } from "./message.js";
import { encodeCall, type MethodCall, type Sendable } from "./writer.js";

/** Message flag (D-Bus specification, "Message Format"). */
const ALLOW_INTERACTIVE_AUTHORIZATION = 4;

/** How long a call may take unless it says otherwise, in milliseconds. */
export const CALL_TIMEOUT = 5000;

const BUS = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

export interface Call extends MethodCall {
  /** Milliseconds; CALL_TIMEOUT when absent. */
  readonly timeout?: number;
  /** Lets polkit ask the user (flag ALLOW_INTERACTIVE_AUTHORIZATION). */
  readonly interactive?: boolean;
}

interface Pending {
  readonly resolve: (reply: Message) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Makes a connection: `connect`, then `call` and `onSignal`, `close` at the end. */
export class Connection {
  /** True without a bus daemon in between: no match rules are needed, no names can be owned. */
  readonly direct: boolean;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #signals = new Set<(message: Message) => void>();
  readonly #ends = new Set<(why: Error) => void>();
  #serial = 0;
  #ended: Error | undefined;

  /** Use `connect`. */
  private constructor(socket: Socket, direct: boolean) {
    this.#socket = socket;
    this.direct = direct;
    const splitter = new Splitter();
    socket.on("error", (error) => this.#end(new BusClosedError(`the bus connection broke: ${error.message}`, error)));
    socket.on("close", () => this.#end(new BusClosedError("the bus connection was closed")));
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const message of splitter.push(chunk)) this.#receive(message);
      } catch (error) {
        this.#end(new BusClosedError(`the bus connection is unusable: ${String(error)}`, error));
      }
    });
    socket.resume(); // dbus-next's line reader left it paused
    // Deadlines keep the process alive while something is awaited; an idle connection must not.
    socket.unref();
  }

  /**
   * Connects and authenticates as the calling user. Rejects with the socket's error (ENOENT, ECONNREFUSED, EACCES …),
   * with a refusal of the peer, or after `timeout` milliseconds.
   */
  static async connect(address: BusAddress, timeout = CALL_TIMEOUT): Promise<Connection> {
    const { default: handshake } = await import("dbus-next/lib/handshake.js");
    const socket = createConnection(address.path);
    try {
      await within(timeout, `authentication at ${address.path}`, (resolve, reject) => {
        socket.once("error", reject);
        socket.once("close", () => reject(new Error("the bus closed the connection during authentication")));
        socket.once("connect", () =>
          handshake(socket, { authMethods: ["EXTERNAL"] }, (error) => (error ? reject(asError(error)) : resolve())),
        );
      });
    } catch (error) {
      // The error listener must outlive us: a socket may fail once more while it is torn down.
      forget(socket);
      socket.on("error", () => undefined);
      socket.destroy();
      throw error;
    }
    forget(socket);
    const connection = new Connection(socket, address.direct);
    if (!address.direct) await connection.call({ ...BUS, member: "Hello", timeout }).catch((error) => connection.#fail(error));
    return connection;
  }

  /** Sends a call; resolves with the reply. Rejects with DbusError, BusTimeoutError or BusClosedError, always in the end. */
  call(call: Call): Promise<Message> {
    if (this.#ended) return Promise.reject(this.#ended);
    const serial = ++this.#serial;
    const { timeout = CALL_TIMEOUT, interactive = false } = call;
    const bytes = encodeCall(call, serial, interactive ? ALLOW_INTERACTIVE_AUTHORIZATION : 0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(serial);
        reject(new BusTimeoutError(call.member, timeout));
      }, timeout);
      this.#pending.set(serial, { resolve, reject, timer });
      this.#send(bytes);
    });
  }

  /** Calls the bus daemon itself. */
  callBus(member: string, signature: string, body: readonly Sendable[]): Promise<Message> {
    return this.call({ ...BUS, member, signature, body });
  }

  /** Asks the bus to send us matching signals; a peer without a bus sends all it has anyway. */
  async addMatch(rule: string): Promise<void> {
    if (!this.direct) await this.callBus("AddMatch", "s", [rule]);
  }

  /** Hears every signal, in order with the replies; returns the way to stop. */
  onSignal(listener: (message: Message) => void): () => void {
    this.#signals.add(listener);
    return () => this.#signals.delete(listener);
  }

  /** Told once when the connection ends, at once if it has. */
  onEnd(listener: (why: Error) => void): () => void {
    if (this.#ended) listener(this.#ended);
    else this.#ends.add(listener);
    return () => this.#ends.delete(listener);
  }

  /** Ends the connection; pending calls are rejected. */
  close(): void {
    this.#end(new BusClosedError("the bus connection was closed by podgen"));
  }

  /** What is sent in one turn of the event loop goes out in one system call. */
  #send(bytes: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(bytes);
  }

  #receive(message: Message): void {
    if (message.type === SIGNAL) {
      for (const listener of [...this.#signals]) listener(message);
    } else if (message.type === METHOD_RETURN || message.type === ERROR) {
      const pending = this.#pending.get(message.replySerial);
      if (!pending) return;
      this.#pending.delete(message.replySerial);
      clearTimeout(pending.timer);
      if (message.type === METHOD_RETURN) pending.resolve(message);
      else pending.reject(errorOf(message));
    }
    // A method call to us (Ping, Introspect) stays without an answer: podgen offers nothing on the bus.
  }

  #end(why: Error): void {
    if (this.#ended) return;
    this.#ended = why;
    this.#socket.destroy();
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(why);
    }
    this.#pending.clear();
    for (const listener of [...this.#ends]) listener(why);
    this.#ends.clear();
  }

  #fail(error: unknown): never {
    this.close();
    throw error;
  }
}

/** Removes what connect and dbus-next's handshake listened for; the socket's own listeners stay. */
function forget(socket: Socket): void {
  for (const event of ["error", "close", "connect", "readable"]) socket.removeAllListeners(event);
}

function errorOf(message: Message): DbusError {
  const text = message.signature.startsWith("s") ? message.bodyReader().string() : "";
  return new DbusError(message.errorName, text || message.errorName);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error).trim());
}

/** Runs something that calls back, with a deadline in milliseconds. */
function within(timeout: number, what: string, start: (resolve: () => void, reject: (error: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new BusTimeoutError(what, timeout)), timeout);
    const settle =
      <T extends unknown[]>(then: (...values: T) => void) =>
      (...values: T) => {
        clearTimeout(timer);
        then(...values);
      };
    start(settle(resolve), settle(reject));
  });
}
