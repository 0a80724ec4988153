// Pause, infra and uplink under a real systemd --user, as generated units have them; and the journal they write to.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAs, type TestUser } from "./user.js";

/** Runs a shell script as the user; throws with all output unless it exits with 0. Returns stdout, trimmed. */
export function sh(user: TestUser, script: string): string {
  const r = runAs(user, ["bash", "-c", script]);
  if (r.code !== 0) throw new Error(`${script}\nexit ${r.code}\n${r.stdout}${r.stderr}`);
  return r.stdout.trim();
}

/** Writes a unit, or a drop-in (`NAME.d/x.conf`), of the user and reloads. */
export function unit(user: TestUser, name: string, lines: readonly string[]): void {
  const path = join(user.home, ".config/systemd/user", name);
  sh(user, `mkdir -p ${join(path, "..")} && cat > ${path} <<'END'\n${lines.join("\n")}\nEND\nsystemctl --user daemon-reload`);
}

export function systemctl(user: TestUser, ...words: string[]): string {
  return sh(user, `systemctl --user ${words.join(" ")}`);
}

/** A property of a unit. */
export const show = (user: TestUser, name: string, property: string): string => systemctl(user, "show", "-P", property, name);

export const mainPid = (user: TestUser, name: string): number => Number(show(user, name, "MainPID"));

/** The inode of a namespace of a process: "net:[4026531840]". Read as root. */
export const namespaceOf = (pid: number, type: string): string =>
  execFileSync("readlink", [`/proc/${pid}/ns/${type}`], { encoding: "utf8" }).trim();

export const PAUSE = "podgen-pause.service";
export const infraUnit = (pod: string): string => `pod-${pod}__infra.service`;
export const infraDir = (user: TestUser, pod: string): string => `${user.runtimeDir}/podgen/pods/${pod}/_infra`;

export function pauseUnit(user: TestUser, extra: readonly string[] = []): void {
  unit(user, PAUSE, ["[Service]", "Type=notify", `ExecStart=${user.podrt} pause`, "Restart=always", "RestartSec=100ms", ...extra]);
}

export interface InfraOptions {
  /** Namespaces infra makes; network, ipc and uts when absent. */
  readonly namespaces?: readonly string[];
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Writes infra's bundle and unit (UNITS.md). Returns the bundle's folder. */
export function infra(user: TestUser, pod: string, options: InfraOptions = {}): string {
  const folder = join(user.home, "bundles", pod);
  mkdirSync(folder, { recursive: true });
  const config = {
    ociVersion: "1.2.0",
    hostname: pod,
    linux: { namespaces: (options.namespaces ?? ["network", "ipc", "uts"]).map((type) => ({ type })), sysctl: options.sysctl ?? {} },
    annotations: {
      "io.podgen.pod": pod,
      "io.podgen.container": "_infra",
      "io.podgen.unit": infraUnit(pod),
      "io.podgen.run-dir": `pods/${pod}/_infra`,
      "io.podgen.digest": "sha256:0a1b",
      ...options.annotations,
    },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  unit(user, infraUnit(pod), [
    "[Unit]",
    `Wants=${PAUSE}`,
    `After=${PAUSE}`,
    "StartLimitIntervalSec=0",
    "[Service]",
    "Type=notify",
    "KillMode=mixed",
    `ExecStart=${user.podrt} infra --bundle ${folder}`,
    "Restart=always",
    "RestartSec=100ms",
    "FileDescriptorStoreMax=4096",
  ]);
  return folder;
}

/** Builds the tool that does with a container's output what run does (handover.c). Returns its path. */
export function buildHandover(user: TestUser): string {
  const out = join(user.home, "handover");
  const lib = ["relay", "fdmsg", "util", "deadline"].map((name) => `native/lib/${name}.c`);
  execFileSync("cc", [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Werror",
    "-Inative",
    "-o",
    out,
    "test/native/handover.c",
    ...lib,
    "-ljansson",
  ]);
  return out;
}

export interface Entry {
  readonly message: string | Uint8Array;
  readonly priority: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What `journalctl --user-unit UNIT` finds as the user, all of it. */
export function journal(user: TestUser, name: string): Entry[] {
  execFileSync("journalctl", ["--sync"]);
  const text = sh(user, `journalctl -q --user-unit ${name} --all -o json`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields: Record<string, unknown> = JSON.parse(line);
      const message = fields["MESSAGE"];
      return {
        message: Array.isArray(message) ? Uint8Array.from(message) : String(message),
        priority: Number(fields["PRIORITY"]),
        fields,
      };
    });
}

export const messages = (user: TestUser, name: string): (string | Uint8Array)[] => journal(user, name).map((entry) => entry.message);

/** Stops journald in its tracks while `work` is done. */
export async function frozenJournal(work: () => Promise<void> | void): Promise<void> {
  const pid = journaldPid();
  execFileSync("journalctl", ["--sync"]);
  process.kill(pid, "SIGSTOP");
  try {
    await work();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** That of the booted system, or the harness's. */
function journaldPid(): number {
  try {
    return Number(readFileSync("/run/podgen-test/journald.pid", "utf8").split(" ")[0]);
  } catch {
    return Number(execFileSync("systemctl", ["show", "-P", "MainPID", "systemd-journald"], { encoding: "utf8" }));
  }
}

/** Private memory of a process in KiB: dirty, and clean, which is the program's own file where it is mapped once. Needs root. */
export function privateMemory(pid: number): { dirty: number; clean: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  return { dirty: of("Private_Dirty"), clean: of("Private_Clean") };
}
