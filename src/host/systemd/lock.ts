// One writer at a time per user: a bus name, or where there is no bus a kernel file lock; both are freed by our death.
import { readFile } from "node:fs/promises";
import { HostError } from "../../ports/host.js";
import type { Connection } from "../dbus/connection.js";

const NAME = "io.podgen.Writer";
const PRIMARY_OWNER = 1;
const ALREADY_OWNER = 4;

/** Takes the lock of a connection's user. Throws HostError `locked`, naming the holder, after `deadline` milliseconds. */
export async function takeLock(connection: Connection, run: string, deadline: number): Promise<void> {
  if (!connection.direct) return lockName(connection, deadline);
  const { lockFile } = await import("./lock-file.js");
  return lockFile(connection, run, deadline);
}

/** Queues for the bus name; NameAcquired comes when the holder leaves the bus, however it ends. */
async function lockName(connection: Connection, deadline: number): Promise<void> {
  const acquired = new Promise<"acquired">((resolve) => {
    const stop = connection.onSignal((message) => {
      if (message.member !== "NameAcquired" || message.body()[0] !== NAME) return;
      stop();
      resolve("acquired");
    });
  });
  const [reply] = (await connection.callBus("RequestName", "su", [NAME, 0])).body();
  if (reply === PRIMARY_OWNER || reply === ALREADY_OWNER) return;
  if ((await inTime(connection, acquired, deadline)) === "acquired") return;
  const [pid] = await connection
    .callBus("GetConnectionUnixProcessID", "s", [NAME])
    .then((message) => message.body())
    .catch(() => []);
  await connection.callBus("ReleaseName", "s", [NAME]);
  throw await locked(typeof pid === "number" ? pid : undefined, deadline);
}

/** The promise's value, or undefined after `deadline` milliseconds; rejects when the connection ends. */
export function inTime<T>(connection: Connection, promise: Promise<T>, deadline: number): Promise<T | undefined> {
  const { promise: ended, reject: end } = withReject();
  const stop = connection.onEnd(end);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, deadline));
  });
  // However it ends, the timer must not keep the process alive.
  return Promise.race([promise, late, ended]).finally(() => {
    clearTimeout(timer);
    stop();
  });
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}

/** The error of who did not get it. */
export async function locked(pid: number | undefined, deadline: number): Promise<HostError> {
  const name = pid === undefined ? "" : (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
  const who = pid === undefined ? "another podgen" : `another podgen (pid ${pid}${name ? `, ${name}` : ""})`;
  const hint = pid === undefined ? "try again" : `wait until it is done, or look at it: ps -fp ${pid}`;
  return new HostError("locked", `${who} is changing this user's pods; waited ${Math.round(deadline / 100) / 10} s for it`, hint);
}
