// Level 3 for node:test: a whole Debian 13 booted by systemd-nspawn (test/harness/host.sh), with a user alice in it.
// Every file of test/host has a host of its own, by a name of its own: a boot costs two seconds.
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DIST } from "./pods.js";
import { CHECKOUT, eventually, execute, type Ran, type RunOptions } from "./session.js";

const SCRIPT = join(CHECKOUT, "test/harness/host.sh");
/** The OCI layout of test/harness/images.sh on the machine; a host has it at the other place. */
export const IMAGES = "/var/lib/podgen-test/images";
const IMAGES_INSIDE = "/opt/images";
/** Milliseconds: a boot (the first one builds the root file system), a command, a reboot whose units take their time to stop. */
const BOOT_DEADLINE = 300_000;
const RUN_DEADLINE = 60_000;
const REBOOT_DEADLINE = 200_000;
/** useradd's first user; the home is a plain folder of the machine, bound into the host. */
const ALICE = { uid: 1000, home: "/home/alice" };

/** `oci:/opt/images:busybox`, as a spec in a host names it. */
export function hostImage(name: string): string {
  return `oci:${IMAGES_INSIDE}:${name}`;
}

/** What the user's manager says of a unit. */
export interface UnitNow {
  readonly active: string;
  readonly sub: string;
  /** Another one after each start. */
  readonly invocation: string;
  readonly mainPid: number;
}

export type Where = "host" | "outside";

export class Host {
  readonly name: string;
  /** alice's home in the host; the same files are at `homeOutside` on the machine. */
  readonly home = ALICE.home;
  readonly homeOutside: string;

  private constructor(name: string) {
    this.name = name;
    this.homeOutside = `/var/lib/podgen-test/hosts/${name}${ALICE.home}`;
  }

  /** Boots one; what an earlier, killed run left under this name goes first. */
  static async start(name: string, options: { readonly linger?: boolean } = {}): Promise<Host> {
    execFileSync("bash", ["test/harness/images.sh", IMAGES], { stdio: ["ignore", "ignore", "inherit"] });
    await must(await execute([SCRIPT, "stop", name], { timeout: REBOOT_DEADLINE }), `host.sh stop ${name}`);
    const words = ["--bind-ro", `${IMAGES}:${IMAGES_INSIDE}`, "--bind-ro", `${DIST}:/opt/podgen/dist`];
    if (options.linger === false) words.push("--no-linger");
    await must(await execute([SCRIPT, "start", name, ...words], { timeout: BOOT_DEADLINE }), `host.sh start ${name}`);
    return new Host(name);
  }

  async stop(): Promise<void> {
    await must(await execute([SCRIPT, "stop", this.name], { timeout: REBOOT_DEADLINE }), `host.sh stop ${this.name}`);
  }

  /** Ends when the host is up again, alice's manager too if she lingers. */
  async reboot(how: "soft" | "hard" = "soft"): Promise<void> {
    const words = how === "hard" ? ["--hard"] : [];
    await must(await execute([SCRIPT, "reboot", this.name, ...words], { timeout: REBOOT_DEADLINE }), `host.sh reboot ${this.name}`);
  }

  /** Runs a command as alice; never rejects for its exit code, only when it takes too long. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.as("alice", argv, options);
  }

  /** The same as root of the host, exit code 0 demanded; stdout. */
  async root(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(await this.as("root", argv, options), argv.join(" "));
  }

  /** The same, whatever the exit code. */
  runAsRoot(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.as("root", argv, options);
  }

  private as(user: string, argv: readonly string[], { timeout = RUN_DEADLINE, input, env = {} }: RunOptions): Promise<Ran> {
    const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const words = settings.length > 0 ? ["env", ...settings, ...argv] : argv;
    return execute([SCRIPT, "run", this.name, user, ...words], { timeout, ...(input === undefined ? {} : { input }) });
  }

  /** A shell script in a login session of alice's, as ssh gives. */
  login(script: string, timeout = RUN_DEADLINE): Promise<Ran> {
    return execute([SCRIPT, "login", this.name, "alice", "sh", "-c", script], { timeout });
  }

  /** A command on the other end of the host's uplink: 10.99.0.1 and fd99::1. */
  outside(argv: readonly string[], timeout = RUN_DEADLINE): Promise<Ran> {
    return execute(["ip", "netns", "exec", this.upNamespace, ...argv], { timeout });
  }

  get upNamespace(): string {
    return `podgen-${this.name}-up`;
  }

  podgen(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.run(["podgen", ...args], options);
  }

  /** podgen with exit code 0 demanded; stdout. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(await this.podgen(args, options), `podgen ${args.join(" ")}`);
  }

  /** Writes a file of alice's, below her home, whole: renamed into place. Returns its path in the host. */
  write(path: string, text: string): string {
    const target = join(this.homeOutside, path);
    let folder = dirname(target);
    const made: string[] = [];
    while (!existsSync(folder)) {
      made.push(folder);
      folder = dirname(folder);
    }
    mkdirSync(dirname(target), { recursive: true });
    for (const each of made) chownSync(each, ALICE.uid, ALICE.uid);
    const temporary = join(dirname(target), ".being-written");
    writeFileSync(temporary, text);
    chownSync(temporary, ALICE.uid, ALICE.uid);
    renameSync(temporary, target);
    return join(this.home, path);
  }

  /** The same without a rename: a reader may see half of it. The file is there already. */
  writeInPlace(path: string, text: string): void {
    writeFileSync(join(this.homeOutside, path), text, { flag: "r+" });
    truncateSync(join(this.homeOutside, path), Buffer.byteLength(text));
  }

  /** A file of alice's, or undefined. */
  read(path: string): string | undefined {
    const target = join(this.homeOutside, path);
    return existsSync(target) ? readFileSync(target, "utf8") : undefined;
  }

  remove(path: string): void {
    rmSync(join(this.homeOutside, path), { recursive: true });
  }

  /** Writes a spec and applies it; stdout. */
  apply(name: string, text: string, ...args: string[]): Promise<string> {
    return this.ok(["apply", this.write(`specs/${name}.yaml`, text), ...args]);
  }

  /** All loaded units of these patterns, by name: one call, one moment. */
  async units(...patterns: string[]): Promise<ReadonlyMap<string, UnitNow>> {
    const ran = await this.run(["systemctl", "--user", "show", "-p", "Id,ActiveState,SubState,InvocationID,MainPID", ...patterns]);
    const found = new Map<string, UnitNow>();
    for (const block of must(ran, "systemctl show").split("\n\n")) {
      const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(block)?.[1] ?? "";
      const unit = {
        active: value("ActiveState"),
        sub: value("SubState"),
        invocation: value("InvocationID"),
        mainPid: Number(value("MainPID")),
      };
      if (value("Id") !== "") found.set(value("Id"), unit);
    }
    return found;
  }

  async unit(name: string): Promise<UnitNow> {
    const unit = (await this.units(name)).get(name);
    if (unit === undefined) throw new Error(`systemd says nothing of ${name}`);
    return unit;
  }

  async property(unit: string, name: string): Promise<string> {
    return must(await this.run(["systemctl", "--user", "show", "-P", name, unit]), `${name} of ${unit}`).trim();
  }

  /** InvocationIDs of a pod's units: a difference is a restart. */
  async invocations(pod: string): Promise<Record<string, string>> {
    const units = await this.units(`pod-${pod}.service`, `pod-${pod}_*.service`);
    return Object.fromEntries([...units].map(([name, unit]) => [name, unit.invocation]));
  }

  /** Body of a page, or undefined while nobody answers. */
  async fetch(url: string, where: Where = "host"): Promise<string | undefined> {
    const argv = ["curl", "--silent", "--fail", "--globoff", "--max-time", "3", url];
    const ran = await (where === "host" ? this.run(argv) : this.outside(argv));
    return ran.code === 0 ? ran.stdout : undefined;
  }

  answers(url: string, wanted: string | RegExp, timeout: number, where: Where = "host"): Promise<unknown> {
    const fits = (body: string | undefined) => body !== undefined && (typeof wanted === "string" ? body === wanted : wanted.test(body));
    return eventually(`${url} answers ${String(wanted)}`, async () => fits(await this.fetch(url, where)), timeout);
  }

  /** What alice finds in the journal with these words of journalctl. */
  async journal(...words: string[]): Promise<string> {
    await this.root(["journalctl", "--sync"]);
    return (await this.run(["journalctl", "--no-pager", "-o", "cat", ...words])).stdout;
  }
}

/** stdout of what ended with exit code 0; else throws with all it said. */
export function must(ran: Ran, what: string): string {
  if (ran.code !== 0) throw new Error(`${what}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}
