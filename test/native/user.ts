// A throw-away user with subordinate ids, and podrt run as that user.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const SESSION = resolve("test/harness/session.sh");

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Started by `userStart`; ids are as the host sees them. */
export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  readonly runtimeDir: string;
  /** First subordinate id; id n > 0 of the user namespace is subId + n - 1 on the host. */
  readonly subId: number;
  /** A copy of podrt that the user can read wherever the checkout is. */
  readonly podrt: string;
}

/** Makes the user with a session (needs root) and gives it podrt. */
export function userStart(name: string): TestUser {
  // What a run that was killed has left.
  execFileSync(SESSION, ["stop", name, "--purge"], { stdio: "ignore" });
  execFileSync(SESSION, ["start", name], { stdio: ["ignore", "inherit", "inherit"] });
  const [, , uid, , , home] = execFileSync("getent", ["passwd", name], { encoding: "utf8" }).trim().split(":");
  const line = readFileSync("/etc/subuid", "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${name}:`));
  if (uid === undefined || home === undefined || line === undefined) throw new Error(`user ${name} was not made`);
  const podrt = join(home, "podrt");
  copyFileSync(process.env["PODRT"] ?? join(process.env["PODGEN_TEST_DIST"] ?? "dist", "podrt"), podrt);
  chmodSync(podrt, 0o755);
  return { name, uid: Number(uid), home, runtimeDir: `/run/user/${uid}`, subId: Number(line.split(":")[1]), podrt };
}

export function userStop(user: TestUser): void {
  execFileSync(SESSION, ["stop", user.name, "--purge"], { stdio: "inherit" });
}

/** A script of sed on /etc/subuid and /etc/subgid, under session.sh's lock: users that are made meanwhile change these files, too. */
export function editSubids(script: string): void {
  execFileSync("flock", ["-w", "60", "/run/podgen-test/session.lock", "sed", "-i", script, "/etc/subuid", "/etc/subgid"]);
}

/** The words that make a command the user's. */
export function asUser(user: TestUser, words: readonly string[]): [string, string[]] {
  return [SESSION, ["run", user.name, ...words]];
}

/** Runs to the end as the user, at most a minute. */
export function runAs(user: TestUser, words: readonly string[], input?: Uint8Array): Outcome {
  const [file, args] = asUser(user, words);
  const r = spawnSync(file, args, { input: input ?? new Uint8Array(), timeout: 60_000, maxBuffer: 1 << 26 });
  // EPIPE: it ended before it had read all, which is for its exit code to say.
  if (r.error && (r.error as NodeJS.ErrnoException).code !== "EPIPE") throw r.error;
  return { code: r.status, signal: r.signal, stdout: r.stdout.toString(), stderr: r.stderr.toString() };
}

/** Starts as the user; the caller ends it. session.sh is replaced by the command, so the pid is the command's. */
export function spawnAs(user: TestUser, words: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [file, args] = asUser(user, words);
  return spawn(file, args, options);
}

/** Polls until true; throws when the time is over. */
export async function until(what: string, done: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`gave up after ${ms} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
