// Level 2 for node:test: a throw-away user under a real systemd --user and journald (test/harness/session.sh).
// Tests are started as root. They call programs as the user with `run`, or become the user for good with `becomeUser`.
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long starting and stopping may take; a unit of the session may use its 90 s to stop. Milliseconds. */
const START_DEADLINE = 60_000;
const STOP_DEADLINE = 150_000;
/** What `run` gives a command unless told otherwise. */
const RUN_DEADLINE = 30_000;

/** The tests' runner works in the checkout. */
export const CHECKOUT = process.cwd();
const SCRIPT = join(CHECKOUT, "test/harness/session.sh");
const RECORDS = "/run/podgen-test";
const lockOf = (user: string) => `${RECORDS}/${user}.janitor.lock`;

export interface Session {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** XDG_RUNTIME_DIR */
  readonly runtime: string;
}

export interface RunOptions {
  /** Standard input; empty when absent. */
  readonly input?: string | Uint8Array;
  /** Added to what a login gives. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; the command is killed and the call rejects when they are over. */
  readonly timeout?: number;
  readonly cwd?: string;
}

export interface Ran {
  /** Exit code, or 128+N after signal N. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes the user anew, whatever a run that was killed has left of them, and starts manager, bus and journal. */
export async function startSession(user: string): Promise<Session> {
  mkdirSync(RECORDS, { recursive: true });
  // The janitor of an earlier test may still be removing the user.
  const waited = await execute(["flock", "-w", "120", lockOf(user), "true"], { timeout: STOP_DEADLINE });
  await must(waited, `the end of an earlier session of ${user}`);
  await stopSession(user);
  await must(await execute([SCRIPT, "start", user], { timeout: START_DEADLINE }), `session.sh start ${user}`);
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${user}:`));
  const [, , uid, gid, , home] = entry?.split(":") ?? [];
  if (!uid || !gid || !home) throw new Error(`no passwd entry of ${user}`);
  return { user, uid: Number(uid), gid: Number(gid), home, runtime: `/run/user/${uid}` };
}

/** Stops everything and removes the user, the home, the journal. */
export async function stopSession(user: string): Promise<void> {
  await must(await execute([SCRIPT, "stop", user, "--purge"], { timeout: STOP_DEADLINE }), `session.sh stop ${user}`);
}

/** Runs a command as the user, as from a login; never rejects for its exit code, only when it takes too long. */
export function run(user: string, argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = {}, ...rest } = options;
  const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const changed = ["env", ...(cwd === undefined ? [] : [`--chdir=${cwd}`]), ...settings, ...argv];
  return execute([SCRIPT, "run", user, ...(changed.length === argv.length + 1 ? argv : changed)], rest);
}

/** The same, but rejects with all output unless the exit code is 0; returns stdout. */
export async function runOk(user: string, argv: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await must(await run(user, argv, options), argv.join(" "))).stdout;
}

/** Polls until `probe` gives something true; rejects with `what` (or what it says then) when `timeout` milliseconds are over. */
export async function eventually<T>(what: string | (() => string), probe: () => Promise<T> | T, timeout = 10_000): Promise<NonNullable<T>> {
  const end = performance.now() + timeout;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`still not so after ${timeout} ms: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Stops the session when told to, and removes the user when its standard input ends, which is when the test's process
 * does: userdel refuses while the user has processes. The next session of that user waits for the lock.
 */
const JANITOR = `
exec 8> "$LOCK"; flock 8
read -r stop && { "$0" stop "$TEST_USER" 8>&-; echo $?; }
read -r never
sleep 0.1
"$0" stop "$TEST_USER" --purge 8>&-
for folder; do while umount "$folder" 2> /dev/null; do :; done; rm -rf --one-file-system -- "$folder"; done
`;

/**
 * Turns this process into the user for good, so that what is tested runs in it with the user's rights and environment.
 * Returns what ends the session: to be awaited in `after`. Should this process be killed, the session is ended too.
 * `folders` are root's, unmounted and removed with it.
 */
export async function becomeUser(session: Session, folders: readonly string[] = []): Promise<() => Promise<void>> {
  await loadChunks();
  const log = openSync(`${RECORDS}/${session.user}.janitor.log`, "w");
  const janitor = spawn("bash", ["-c", JANITOR, SCRIPT, ...folders], {
    stdio: ["pipe", "pipe", log],
    detached: true,
    env: { ...process.env, TEST_USER: session.user, LOCK: lockOf(session.user) },
  });
  janitor.unref();
  const { stdin, stdout } = janitor;
  if (!stdin || !stdout) throw new Error("no pipes to the janitor");
  process.setgroups?.([session.gid, ...groupsOf(session.user)]);
  process.setgid?.(session.gid);
  process.setuid?.(session.uid);
  process.umask(0o022);
  process.chdir(session.home);
  for (const name of Object.keys(process.env)) if (/^(XDG_|DBUS_)/.test(name)) delete process.env[name];
  Object.assign(process.env, {
    HOME: session.home,
    USER: session.user,
    LOGNAME: session.user,
    XDG_RUNTIME_DIR: session.runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${session.runtime}/bus`,
  });
  return async () => {
    stdin.write("stop\n");
    const code = await firstLine(stdout);
    // Its pipe must not keep this process: that it ends is what the janitor waits for.
    stdout.destroy();
    if (code !== "0") throw new Error(`session.sh stop gave ${code}, see ${RECORDS}/${session.user}.janitor.log`);
  };
}

/** The user may not be able to look into the checkout: what is imported later is loaded now. */
async function loadChunks(): Promise<void> {
  const [bundle] = /^.*\/dist\/test-[^/]+/.exec(process.argv[1] ?? "") ?? [];
  if (bundle === undefined) return;
  for (const name of readdirSync(bundle)) if (name.endsWith(".js")) await import(join(bundle, name));
}

/** Ids of the groups a user was added to. */
function groupsOf(user: string): number[] {
  return readFileSync("/etc/group", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , , members]) => members?.split(",").includes(user))
    .map(([, , gid]) => Number(gid));
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes("\n")) resolve(text.split("\n")[0] ?? "");
    });
    stream.on("end", () => resolve(text));
  });
}

/** Bundles a program that a test runs beside itself; returns its path and its folder. Call it as root. */
export async function buildProgram(entry: string): Promise<{ file: string; folder: string }> {
  // Not in the checkout, which may be where the user cannot look (a clone below /root).
  const folder = `/var/lib/podgen-test/program-${process.pid}-${entry.replaceAll(/\W/g, "-")}`;
  rmSync(folder, { recursive: true, force: true });
  // Not a static import: the bundler must not be bundled.
  const tools: { bundle(entries: string[], out: string): Promise<void> } = await import(join(CHECKOUT, "test/tools/esbuild.mjs"));
  await tools.bundle([join(CHECKOUT, entry)], folder);
  writeFileSync(join(folder, "package.json"), '{"type":"module"}\n');
  return { file: join(folder, entry.replace(/^.*\//, "").replace(/\.ts$/, ".js")), folder };
}

async function must(ran: Ran, what: string): Promise<Ran> {
  if (ran.code !== 0) throw new Error(`${what}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`);
  return ran;
}

/** Runs a program with a deadline; rejects only when that is over or there is no such program. Its input ends at once. */
export function execute(argv: readonly string[], options: Pick<RunOptions, "input" | "timeout">): Promise<Ran> {
  const [program = "", ...args] = argv;
  const timeout = options.timeout ?? RUN_DEADLINE;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        text[name] += chunk;
      });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new Error(`${argv.join(" ")}: not done after ${timeout} ms\n${text.stdout}${text.stderr}`));
    }, timeout);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128 + signalNumber(signal), ...text });
    });
    // A command that does not read its input may be gone before it is written.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGABRT: 6,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  return signal === null ? 0 : (numbers[signal] ?? 0);
}
