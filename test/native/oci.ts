// OCI containers by hand: bundles on a root file system of busybox, and podrt called as an engine calls it, by root or by a user.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { busyboxInto } from "./container.js";
import { asUser, type Outcome, type TestUser, userStart, userStop } from "./user.js";

export interface Mount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

export interface Hook {
  path: string;
  args?: string[];
  env?: string[];
  timeout?: number;
}

export interface IdMap {
  containerID: number;
  hostID: number;
  size: number;
}

/** config.json as far as tests change it. */
export interface Config {
  ociVersion: string;
  process: {
    terminal?: boolean;
    consoleSize?: { height: number; width: number };
    user: { uid: number; gid: number; umask?: number; additionalGids?: number[] };
    args: string[];
    env: string[];
    cwd: string;
    capabilities?: Partial<Record<"bounding" | "effective" | "permitted" | "inheritable" | "ambient", string[]>>;
    rlimits?: { type: string; hard: number; soft: number }[];
    noNewPrivileges?: boolean;
    oomScoreAdj?: number;
    [other: string]: unknown;
  };
  root: { path: string; readonly?: boolean };
  hostname?: string;
  domainname?: string;
  mounts: Mount[];
  annotations?: Record<string, string>;
  hooks?: Record<string, Hook[]>;
  linux: {
    namespaces: { type: string; path?: string }[];
    uidMappings?: IdMap[];
    gidMappings?: IdMap[];
    maskedPaths?: string[];
    readonlyPaths?: string[];
    [other: string]: unknown;
  };
}

export type Change = (config: Config) => void;

/** Who calls podrt. */
export interface Engine {
  readonly name: string;
  /** Undefined: root. */
  readonly user: TestUser | undefined;
  /** For everything of its: bundles, the root file system, podrt's own --root. */
  readonly folder: string;
  readonly podrt: string;
  readonly root: string;
  readonly rootfs: string;
  /** What `podrt spec` prints, with `true` as its command and no terminal. */
  readonly base: Config;
}

const FOLDER = "/var/lib/podgen-test/oci";
const DIST = process.env["PODRT"] ?? join(process.env["PODGEN_TEST_DIST"] ?? "dist", "podrt");

/** Root's; or with a name that of a throw-away user with subordinate ids. */
export function engineStart(name?: string): Engine {
  const user = name === undefined ? undefined : userStart(name);
  const parent = user?.home ?? FOLDER;
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "oci-"));
  // Whoever is root of a user namespace of another id must get as far as the root file system.
  chmodSync(folder, 0o755);
  const podrt = user?.podrt ?? join(folder, "podrt");
  if (user === undefined) copyFileSync(DIST, podrt);
  const rootfs = join(folder, "rootfs");
  mkdirSync(rootfs);
  busyboxInto(rootfs);
  for (const each of ["proc", "sys", "dev"]) mkdirSync(join(rootfs, each));
  own(user, folder);
  const bare = { name: user?.name ?? "root", user, folder, podrt, root: join(folder, "run"), rootfs };
  const spec = join(folder, "spec");
  mkdirSync(spec);
  own(user, spec);
  const made = call({ ...bare, base: {} as Config }, ["spec", "--bundle", spec, ...(user ? ["--rootless"] : [])]);
  if (made.code !== 0) throw new Error(`podrt spec: ${made.stderr}`);
  const base: Config = JSON.parse(readFileSync(join(spec, "config.json"), "utf8"));
  base.process.terminal = false;
  base.process.args = ["true"];
  base.root = { path: rootfs, readonly: false };
  return { ...bare, base };
}

/** Ends what is left of its containers, and forgets everything. */
export function engineStop(engine: Engine): void {
  const left = existsSync(engine.root) ? readdirSync(engine.root).filter((name) => !name.startsWith(".")) : [];
  for (const id of left) call(engine, ["delete", "--force", id]);
  // A user's container may have left files of subordinate ids.
  rmSync(engine.folder, { recursive: true, force: true });
  if (engine.user) userStop(engine.user);
}

/** Gives a tree to the caller. */
export function own(user: TestUser | undefined, path: string): void {
  if (user) execFileSync("chown", ["-R", `${user.uid}:${user.uid}`, path]);
}

const words = (engine: Engine, rest: readonly string[]): string[] => [engine.podrt, "--root", engine.root, ...rest];

export interface CallOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is open from 3 up. */
  readonly fds?: readonly number[];
  readonly timeout?: number;
  /** Whose login the kernel's audit is to find it under; root may say so (pam_loginuid(8)). */
  readonly loginuid?: number;
}

const AS_LOGIN = 'echo "$0" > /proc/self/loginuid && exec "$@"';

function command(engine: Engine, all: readonly string[], env: Readonly<Record<string, string>> = {}): [string, string[]] {
  const named = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...all];
  return engine.user ? asUser(engine.user, named) : [named[0] ?? "", named.slice(1)];
}

/** Runs any command as the caller, to its end. */
export function callAny(engine: Engine, all: readonly string[], options: CallOptions = {}): Outcome {
  const plain = command(engine, all, options.env);
  const { loginuid } = options;
  const [file, args] = loginuid === undefined ? plain : ["sh", ["-c", AS_LOGIN, String(loginuid), plain[0], ...plain[1]]];
  const stdio: ("pipe" | number)[] = ["pipe", "pipe", "pipe", ...(options.fds ?? [])];
  const where = options.cwd === undefined ? {} : { cwd: options.cwd };
  const r = spawnSync(file, args, { input: options.input ?? "", stdio, timeout: options.timeout ?? 60_000, ...where });
  if (r.error && (r.error as NodeJS.ErrnoException).code !== "EPIPE") throw r.error;
  return { code: r.status, signal: r.signal, stdout: r.stdout.toString(), stderr: r.stderr.toString() };
}

/** podrt with its --root and these words. */
export const call = (engine: Engine, rest: readonly string[], options: CallOptions = {}): Outcome =>
  callAny(engine, words(engine, rest), options);

/** The same, which must succeed: its standard output. */
export function good(engine: Engine, ...rest: string[]): string {
  const r = call(engine, rest);
  if (r.code !== 0) throw new Error(`podrt ${rest.join(" ")}: exit ${r.code}\n${r.stdout}${r.stderr}`);
  return r.stdout;
}

/** Starts podrt and leaves it running. */
export function begin(engine: Engine, rest: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [file, args] = command(engine, words(engine, rest));
  return spawn(file, args, options);
}

let count = 0;
export const newId = (): string => `c${process.pid}-${count++}`;

/** A new bundle of the base configuration as `change` leaves it. Returns its folder. */
export function bundle(engine: Engine, change: Change = () => {}): string {
  const folder = join(engine.folder, `bundle-${count++}`);
  const config = structuredClone(engine.base);
  change(config);
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  if (engine.user) chownSync(folder, engine.user.uid, engine.user.uid);
  return folder;
}

/** `podrt run`: one container, to its end. A text is a shell script for it. */
export function run(engine: Engine, change: Change | string, options: CallOptions & { readonly words?: readonly string[] } = {}): Outcome {
  const folder = bundle(engine, typeof change === "string" ? script(change) : change);
  return call(engine, ["run", ...(options.words ?? []), "--bundle", folder, newId()], options);
}

/** What a container says that must exit with 0. */
export function output(engine: Engine, change: Change | string): string {
  const r = run(engine, change);
  if (r.code !== 0) throw new Error(`exit ${r.code} ${r.signal ?? ""}\n${r.stdout}${r.stderr}`);
  return r.stdout.trim();
}

/** A shell script as the command, and further changes. */
export const script =
  (text: string, more: Change = () => {}): Change =>
  (config) => {
    config.process.args = ["sh", "-c", text];
    more(config);
  };

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const stateOf = (engine: Engine, id: string): State => JSON.parse(good(engine, "state", id));

/** A container that stays until it is killed, started. Returns its id. */
export function started(engine: Engine, change: Change = () => {}): string {
  const id = newId();
  const folder = bundle(engine, (config) => {
    config.process.args = ["sleep", "1000"];
    change(config);
  });
  create(engine, folder, id);
  good(engine, "start", id);
  return id;
}

/** `create` leaves a process that holds standard output and error: files, so that nobody waits for their end. */
export function create(engine: Engine, folder: string, id: string, ...options: string[]): void {
  const r = tryCreate(engine, folder, id, ...options);
  if (r.code !== 0) throw new Error(`podrt create: exit ${r.code}\n${r.stdout}${r.stderr}`);
}

export function tryCreate(engine: Engine, folder: string, id: string, ...options: string[]): Outcome {
  const all = words(engine, ["create", ...options, "--bundle", folder, id]).map((word) => `'${word}'`);
  const r = callAny(engine, ["sh", "-c", `exec ${all.join(" ")} < /dev/null > '${folder}/out' 2> '${folder}/err'`]);
  return { ...r, stdout: readFileSync(join(folder, "out"), "utf8"), stderr: readFileSync(join(folder, "err"), "utf8") };
}

/** What a created container has written so far. */
export const written = (folder: string): string => readFileSync(join(folder, "out"), "utf8");

export const exec = (engine: Engine, id: string, command: readonly string[], options: readonly string[] = []): Outcome =>
  call(engine, ["exec", ...options, id, ...command]);

/** Output of a shell script in a running container; fails unless it exits with 0. */
export function inside(engine: Engine, id: string, text: string, options: readonly string[] = []): string {
  const r = exec(engine, id, ["sh", "-c", text], options);
  if (r.code !== 0) throw new Error(`${text}: exit ${r.code}\n${r.stdout}${r.stderr}`);
  return r.stdout.trim();
}

/** Ends and forgets it. */
export const remove = (engine: Engine, id: string): string => good(engine, "delete", "--force", id);

/** Builds console.c, who listens for a terminal and shows what it says. Returns its path. */
export function buildConsole(engine: Engine): string {
  const out = join(engine.folder, "console");
  execFileSync("cc", ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-o", out, "test/native/console.c"]);
  return out;
}
