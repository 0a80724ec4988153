// For tests of the generated units alone: renders a spec, writes it as apply would, and drives systemctl. No podgen runs.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { HostFacts } from "../../src/base/facts.js";
import { hostFacts } from "./models.js";
import { renderYaml } from "./render-yaml.js";
import { type Ran, run, runOk, type Session, startSession, stopSession } from "./session.js";

/** podrt, as test/run.sh staged it; built at a place that users can read where a test is run by itself. */
function findPodrt(): string {
  const staged = process.env["PODGEN_TEST_DIST"];
  if (staged !== undefined) return `${staged}/podrt`;
  const out = "/var/lib/podgen-test/unit-host";
  mkdirSync(out, { recursive: true });
  execFileSync("make", ["-s", "-C", "native", `OUT=${out}`, `${out}/podrt`], { stdio: "inherit" });
  return `${out}/podrt`;
}

export class UnitHost {
  readonly session: Session;
  readonly facts: HostFacts;
  readonly #podrt: string;

  private constructor(session: Session, podrt: string) {
    this.session = session;
    this.#podrt = podrt;
    const { pasta: _, ...facts } = hostFacts({}, session.home);
    const version = Number(/^systemd (\d+)/.exec(execFileSync("systemctl", ["--version"], { encoding: "utf8" }))?.[1]);
    this.facts = { ...facts, systemdVersion: version, paths: { ...facts.paths, run: `${session.runtime}/podgen` } };
  }

  /** Starts a session whose image, of two layers, holds just the static program `payload` as /payload. */
  static async start(user: string, payload: string): Promise<UnitHost> {
    const host = new UnitHost(await startSession(user), findPodrt());
    const { data, podrt } = host.facts.paths;
    mkdirSync(dirname(podrt), { recursive: true });
    execFileSync("install", ["-m", "755", host.#podrt, podrt]);
    // The layers that imageFacts() of a reference `…:1` names.
    const layers = [`${data}/storage/layers/${"0".repeat(64)}`, `${data}/storage/layers/${"1".repeat(63)}1`];
    for (const layer of layers) mkdirSync(layer, { recursive: true });
    execFileSync("install", ["-m", "755", payload, `${layers[0]}/payload`]);
    host.own(host.session.home);
    return host;
  }

  async stop(): Promise<void> {
    await this.systemctl("stop", "pod-*", "podgen-*");
    // Files of subordinate ids are not the user's to remove; root may.
    rmSync(this.facts.paths.data, { recursive: true, force: true });
    await stopSession(this.session.user);
  }

  /** Hands what root wrote to the user. */
  own(path: string): void {
    execFileSync("chown", ["-R", `${this.session.user}:`, path]);
  }

  /** Writes a spec's files and reloads the manager. `pasta` gives pods an uplink. */
  async install(spec: string, over: Partial<HostFacts> = {}): Promise<void> {
    const rendered = renderYaml(spec, { ...this.facts, ...over });
    for (const file of [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)]) {
      mkdirSync(dirname(file.path), { recursive: true });
      writeFileSync(file.path, file.bytes, { mode: file.mode });
    }
    this.own(`${this.session.home}/.config`);
    this.own(`${this.session.home}/.local`);
    await this.ok("daemon-reload");
  }

  systemctl(...words: readonly string[]): Promise<Ran> {
    return run(this.session.user, ["systemctl", "--user", ...words], { timeout: 60_000 });
  }

  async ok(...words: readonly string[]): Promise<string> {
    return runOk(this.session.user, ["systemctl", "--user", ...words], { timeout: 60_000 });
  }

  /** Properties of units, one line each: `active running`. */
  async show(unit: string, ...properties: readonly string[]): Promise<string> {
    const values = await Promise.all(properties.map((p) => this.ok("show", "-P", p, unit)));
    return values.map((v) => v.trim()).join(" ");
  }

  async mainPid(unit: string): Promise<number> {
    return Number(await this.show(unit, "MainPID"));
  }

  /** Changes at every start. */
  invocation(unit: string): Promise<string> {
    return this.show(unit, "InvocationID");
  }
}
