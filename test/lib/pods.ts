// For tests from spec to systemd: podgen as a throw-away user calls it, and what the user's manager says of the outcome.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { eventually, type Ran, type RunOptions, run, runOk, type Session, startSession, stopSession } from "./session.js";

/** Where the built program is for users who may not look into the checkout; test/run.sh sets it up. */
export const DIST = process.env["PODGEN_TEST_DIST"] ?? stageDist();
/** The OCI layout of test/harness/images.sh: its tags are the images. */
const IMAGES = "/var/lib/podgen-test/images";

function stageDist(): string {
  const place = "/var/lib/podgen-test/dist";
  execFileSync("bash", ["test/harness/stage.sh", place], { stdio: "inherit" });
  return place;
}

/** `oci:/…:busybox`: a real image made of Debian packages. Builds them where no earlier test has. */
export function image(name: string): string {
  execFileSync("bash", ["test/harness/images.sh", IMAGES], { stdio: ["ignore", "ignore", "inherit"] });
  return `oci:${IMAGES}:${name}`;
}

/** An image of all of Debian 13 with systemd, podman and node; alice lingers (test/harness/nested-image.sh). */
export function nestedImage(): string {
  const layout = execFileSync("bash", ["test/harness/nested-image.sh"], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  return `oci:${layout.trim()}:nested`;
}

/** A user's session in which podgen is tried. */
export class PodHost {
  readonly session: Session;
  readonly user: string;

  private constructor(session: Session) {
    this.session = session;
    this.user = session.user;
  }

  static async start(user: string): Promise<PodHost> {
    return new PodHost(await startSession(user));
  }

  stop(): Promise<void> {
    return stopSession(this.user);
  }

  /** Writes a spec into the user's home and returns its path. */
  spec(name: string, text: string): string {
    const folder = `${this.session.home}/specs`;
    mkdirSync(folder, { recursive: true });
    const path = `${folder}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    execFileSync("chown", ["-R", `${this.user}:`, folder]);
    return path;
  }

  podgen(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(this.user, [`${DIST}/podgen`, ...args], { timeout: 120_000, ...options });
  }

  /** The same, exit code 0 demanded; stdout. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.podgen(args, options);
    if (ran.code !== 0) throw new Error(`podgen ${args.join(" ")}: exit ${ran.code}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(this.user, argv, options);
  }

  /** One property of a unit, as the manager says it. */
  async property(unit: string, name: string): Promise<string> {
    return (await runOk(this.user, ["systemctl", "--user", "show", "-P", name, unit])).trim();
  }

  /** MainPID and the start time that tells a process from its successor of the same pid. */
  async incarnation(unit: string): Promise<string> {
    return (await runOk(this.user, ["systemctl", "--user", "show", "-P", "MainPID", "-P", "InvocationID", unit])).trim();
  }

  async mainPid(unit: string): Promise<number> {
    return Number(await this.property(unit, "MainPID"));
  }

  /** Body of a page, or undefined while nobody answers. */
  async fetch(url: string): Promise<string | undefined> {
    const ran = await this.run(["curl", "--silent", "--fail", "--max-time", "15", url], { timeout: 20_000 });
    return ran.code === 0 ? ran.stdout : undefined;
  }

  /** Lines a unit has in the journal, found as a user would find them. */
  async log(unit: string): Promise<string> {
    execFileSync("journalctl", ["--sync"]);
    return (await run(this.user, ["journalctl", "--user-unit", unit, "-o", "cat", "--no-pager"])).stdout;
  }

  /** Waits for a unit's ActiveState. */
  active(unit: string, wanted = "active", timeout = 10_000): Promise<unknown> {
    return eventually(`${unit} is ${wanted}`, async () => (await this.property(unit, "ActiveState")) === wanted, timeout);
  }
}
