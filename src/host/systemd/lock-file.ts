// The writer's lock where there is no bus: a kernel file lock.
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../../ports/host.js";
import type { Connection } from "../dbus/connection.js";
import { inTime, locked } from "./lock.js";

/** flock(1) holds the lock for as long as its standard input, which the kernel closes when we die. */
export async function lockFile(connection: Connection, run: string, deadline: number): Promise<void> {
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
