// Containers of hand-written bundles under hand-written units (UNITS.md), on a root file system of busybox.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { infra, infraUnit, messages, pauseUnit, sh, show, systemctl, unit } from "./pod.js";
import { type Outcome, runAs, type TestUser, until, userStart } from "./user.js";

/** containers-common's default. */
export const DEFAULT_CAPS = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
  .split(" ")
  .map((name) => `CAP_${name}`);

const MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/sys/firmware", "/proc/not/there"];
const READ_ONLY = ["/proc/sys", "/proc/irq", "/proc/sysrq-trigger"];

export interface ContainerOptions {
  readonly args: readonly string[];
  readonly process?: Readonly<Record<string, unknown>>;
  readonly caps?: readonly string[];
  readonly readOnlyRoot?: boolean;
  readonly mounts?: readonly {
    readonly destination: string;
    readonly source?: string;
    readonly type?: string;
    readonly options?: readonly string[];
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly driver?: string;
  /** Bottom first; busybox alone when absent. */
  readonly layers?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Further lines of [Service]. */
  readonly service?: readonly string[];
  /** `oneshot` instead of `run`. */
  readonly init?: boolean;
}

export const unitOf = (name: string): string => `pod-web_${name}.service`;
export const runDirOf = (user: TestUser, name: string): string => `${user.runtimeDir}/podgen/pods/web/${name}`;
export const layerOf = (user: TestUser): string => join(user.home, "layers/busybox");
export const upperOf = (user: TestUser, name: string): string => join(user.home, "containers/web", name);

/** A user with pause, the pod `web` and its infra running, and the layer. */
export function startPod(name: string): TestUser {
  const user = userStart(name);
  pauseUnit(user);
  makeLayer(user);
  infra(user, "web");
  systemctl(user, "start", infraUnit("web"));
  return user;
}

/** The statically linked busybox of Debian, from its package; kept between runs. */
function busybox(): string {
  const cache = "/var/cache/podgen-test/busybox-static";
  const find = (): string | undefined =>
    ["bin/busybox", "usr/bin/busybox"].map((path) => join(cache, path)).find((path) => existsSync(path));
  const found = find();
  if (found !== undefined) return found;
  const folder = mkdtempSync(join(tmpdir(), "busybox-"));
  execFileSync("apt-get", ["-q", "-o", "APT::Sandbox::User=root", "download", "busybox-static"], { cwd: folder, stdio: "pipe" });
  const [deb = ""] = readdirSync(folder);
  execFileSync("dpkg-deb", ["-x", join(folder, deb), cache]);
  rmSync(folder, { recursive: true });
  const made = find();
  if (made === undefined) throw new Error("busybox-static has no busybox");
  return made;
}

/** busybox with all its applets, passwd and group, in an empty folder. */
export function busyboxInto(folder: string): void {
  const binary = busybox();
  for (const name of ["bin", "etc", "root", "tmp", "srv"]) mkdirSync(join(folder, name));
  execFileSync("cp", [binary, join(folder, "bin/busybox")]);
  for (const applet of execFileSync(binary, ["--list"], { encoding: "utf8" }).trim().split("\n"))
    if (applet !== "busybox") symlinkSync("busybox", join(folder, "bin", applet));
  writeFileSync(join(folder, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/srv:/bin/sh\n");
  writeFileSync(join(folder, "etc/group"), "root:x:0:\nweb:x:44:\nextra:x:55:web\n");
  execFileSync("chmod", ["1777", join(folder, "tmp")]);
}

function makeLayer(user: TestUser): void {
  const layer = layerOf(user);
  if (existsSync(layer)) return;
  mkdirSync(join(layer, "lower"), { recursive: true });
  busyboxInto(layer);
  writeFileSync(join(layer, "lower/file"), "from below\n");
  execFileSync("chown", ["-R", `${user.uid}:${user.uid}`, join(user.home, "layers")]);
}

/** A further layer made by a shell script in its folder, as the user (root of the container). */
export function layer(user: TestUser, name: string, script: string): string {
  const folder = join(user.home, "layers", name);
  sh(user, `rm -rf ${folder} && mkdir -p ${folder} && cd ${folder} && ${script}`);
  return folder;
}

/** Writes bundle and unit of a container of pod `web`. Returns the unit's name. */
export function container(user: TestUser, name: string, options: ContainerOptions): string {
  const folder = join(user.home, "bundles/web", name);
  const caps = options.caps ?? DEFAULT_CAPS;
  const rootfs = { driver: options.driver ?? "auto", layers: options.layers ?? [layerOf(user)], upper: upperOf(user, name) };
  const config = {
    ociVersion: "1.2.0",
    process: {
      args: options.args,
      env: ["A=1"],
      cwd: "/",
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      ...options.process,
    },
    root: { path: "rootfs", readonly: options.readOnlyRoot ?? false },
    mounts: options.mounts ?? [],
    linux: {
      namespaces: (options.namespaces ?? ["mount", "pid", "cgroup"]).map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
    annotations: {
      "io.podgen.pod": "web",
      "io.podgen.container": name,
      "io.podgen.unit": unitOf(name),
      "io.podgen.identifier": `web/${name}`,
      "io.podgen.log-fields": JSON.stringify({ CONTAINER_NAME: name }),
      "io.podgen.run-dir": `pods/web/${name}`,
      "io.podgen.join": "pods/web/_infra",
      "io.podgen.digest": "sha256:c0de",
      "io.podgen.rootfs": JSON.stringify(rootfs),
      ...options.annotations,
    },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  unit(user, unitOf(name), [
    "[Unit]",
    `Requires=${infraUnit("web")}`,
    `After=${infraUnit("web")}`,
    "StartLimitIntervalSec=0",
    "[Service]",
    `Type=${options.init ? "oneshot" : "notify"}`,
    "KillMode=mixed",
    "Delegate=yes",
    "RestartSec=100ms",
    "TimeoutStartSec=infinity",
    `ExecStart=${user.podrt} ${options.init ? "oneshot" : "run"} --bundle ${folder}`,
    ...(options.service ?? []),
  ]);
  return unitOf(name);
}

export interface End {
  /** ExecMainStatus: exit code, or signal where `killed`. */
  readonly status: number;
  readonly killed: boolean;
  readonly result: string;
  /** Of this start, in order. */
  readonly lines: readonly string[];
}

/** What is said of a unit now; lines are those since `cursor`. */
function endOf(user: TestUser, name: string, before: number): End {
  const all = messages(user, name).map(String);
  return {
    status: Number(show(user, name, "ExecMainStatus")),
    killed: show(user, name, "ExecMainCode") === "2",
    result: show(user, name, "Result"),
    lines: all.slice(before),
  };
}

/** Starts a container and waits until it has ended by itself. The start may fail. */
export async function toEnd(user: TestUser, name: string, options: ContainerOptions): Promise<End> {
  const id = container(user, name, options);
  const before = messages(user, id).length;
  runAs(user, ["systemctl", "--user", "start", id]);
  await until(`${id} to end`, () => ["inactive", "failed"].includes(show(user, id, "ActiveState")), 20_000);
  const end = endOf(user, id, before);
  runAs(user, ["systemctl", "--user", "reset-failed", id]);
  return end;
}

/** Runs a shell script in a container to its end; fails unless it exits with 0. Returns what it wrote, without systemd's and podrt's lines. */
export async function output(user: TestUser, name: string, script: string, options: Partial<ContainerOptions> = {}): Promise<string> {
  const end = await toEnd(user, name, { ...options, args: ["sh", "-c", script] });
  if (end.status !== 0 || end.killed) throw new Error(`${script}: ${JSON.stringify(end)}`);
  return payload(end.lines, name).join("\n");
}

/** Lines of the payload alone: those of the manager about the unit are left out. */
export function payload(lines: readonly string[], name: string): string[] {
  const id = unitOf(name);
  return lines.filter((line) => !line.startsWith(`${id}:`) && !/^(Starting|Started|Stopping|Stopped|Finished) /.test(line));
}

/** Starts a container that stays. Returns the unit's name. */
export function running(user: TestUser, name: string, options: Partial<ContainerOptions> = {}): string {
  // PID 1 of a namespace does not die of a SIGTERM that it does not handle: no waiting for the grace in every test.
  const id = container(user, name, { args: ["sleep", "1000"], ...options, service: ["KillSignal=SIGKILL", ...(options.service ?? [])] });
  systemctl(user, "start", id);
  return id;
}

export function exec(user: TestUser, name: string, words: readonly string[], options: readonly string[] = []): Outcome {
  return runAs(user, [user.podrt, "exec", ...options, `pods/web/${name}`, "--", ...words]);
}

/** Output of a shell script in a running container; fails unless it exits with 0. */
export function inside(user: TestUser, name: string, script: string, options: readonly string[] = []): string {
  const r = exec(user, name, ["sh", "-c", script], options);
  if (r.code !== 0) throw new Error(`${script}: exit ${r.code}\n${r.stdout}${r.stderr}`);
  return r.stdout.trim();
}

/** Processes in a unit's cgroup. */
export function processesOf(user: TestUser, id: string): number[] {
  const path = show(user, id, "ControlGroup");
  if (path === "") return [];
  const roots = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"].map((root) => `${root}${path}/cgroup.procs`);
  const file = roots.find((name) => existsSync(name));
  return file === undefined ? [] : readFileSync(file, "utf8").trim().split("\n").filter(Boolean).map(Number);
}
