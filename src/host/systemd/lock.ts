// One writer at a time per user: a bus name, or where there is no bus a kernel file lock; both are freed by our death.
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../../ports/host.js";
import type { Connection } from "../dbus/connection.js";

const NAME = "io.podgen.Writer";
const PRIMARY_OWNER = 1;
const ALREADY_OWNER = 4;

/** Takes the lock of a connection's user. Throws HostError `locked`, naming the holder, after `deadline` milliseconds. */
export function takeLock(connection: Connection, run: string, deadline: number): Promise<void> {
  return connection.direct ? lockFile(connection, run, deadline) : lockName(connection, deadline);
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

/** flock(1) holds the lock for as long as its standard input, which the kernel closes when we die. */
async function lockFile(connection: Connection, run: string, deadline: number): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  const file = join(run, "writer.lock");
  const seconds = String(Math.max(0, deadline) / 1000);
  const child = spawn("flock", ["--exclusive", "--wait", seconds, file, "sh", "-c", "echo held; exec cat >&2"], {
    stdio: ["pipe", "pipe", "ignore"],
    // Not in our process group: an interrupt from the terminal must not free the lock before we are done.
    detached: true,
  });
  // An idle lock must not keep the process alive.
  child.unref();
  for (const stream of [child.stdin, child.stdout]) if ("unref" in stream && typeof stream.unref === "function") stream.unref();
  child.stdin.on("error", () => undefined);
  connection.onEnd(() => child.stdin.destroy());
  const held = new Promise<"acquired" | "refused">((resolve, reject) => {
    child.once("error", (error) => reject(new HostError("locked", `cannot lock ${file}: ${error.message}`, "install util-linux", error)));
    child.stdout.once("data", () => resolve("acquired"));
    child.once("exit", () => resolve("refused"));
  });
  if ((await inTime(connection, held, deadline + 2000)) !== "acquired") {
    child.stdin.destroy();
    throw await locked(Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10) || undefined, deadline);
  }
  await writeFile(file, `${process.pid}\n`);
}

/** The promise's value, or undefined after `deadline` milliseconds; rejects when the connection ends. */
function inTime<T>(connection: Connection, promise: Promise<T>, deadline: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), Math.max(0, deadline));
    const stop = connection.onEnd(reject);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      stop();
    });
  });
}

async function locked(pid: number | undefined, deadline: number): Promise<HostError> {
  const name = pid === undefined ? "" : (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
  const who = pid === undefined ? "another podgen" : `another podgen (pid ${pid}${name ? `, ${name}` : ""})`;
  const hint = pid === undefined ? "try again" : `wait until it is done, or look at it: ps -fp ${pid}`;
  return new HostError("locked", `${who} is changing this user's pods; waited ${Math.round(deadline / 100) / 10} s for it`, hint);
}
