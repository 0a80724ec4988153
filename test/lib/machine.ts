// Level 4 for node:test: a machine of its own by QEMU (test/harness/machine.sh), cgroup v2 with all controllers.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { CHECKOUT } from "./session.js";

const SCRIPT = join(CHECKOUT, "test/harness/machine.sh");
/** Milliseconds: emulated, a boot takes ten times what it does elsewhere, and the first one builds the disk. */
const BOOT_DEADLINE = 240_000;
const RUN_DEADLINE = 60_000;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine {
  readonly #name: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  /** Its scripts run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(name: string, kind: string, env: Readonly<Record<string, string>>) {
    this.#name = name;
    // It ends with a test that is killed.
    this.#process = spawn("setpriv", ["--pdeathsig", "TERM", SCRIPT, "boot", kind, name], { env: { ...process.env, ...env } });
    this.#process.stderr.pipe(process.stderr);
    // It may be gone before it has read all: that is for the missing answer to say.
    this.#process.stdin.on("error", () => {});
    this.#reader = createInterface({ input: this.#process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Boots one. `env` is for machine.sh. */
  static async start(name: string, kind: "small" | "debian", env: Readonly<Record<string, string>> = {}): Promise<Machine> {
    const machine = new Machine(name, kind, env);
    try {
      const word = await machine.#line("boot", BOOT_DEADLINE);
      if (word !== "ready") throw new Error(`the machine says ${word} instead of ready`);
    } catch (cause) {
      await machine.stop();
      throw cause;
    }
    return machine;
  }

  /** The power fails. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once("exit", resolve));
      // The script hands it on to QEMU and clears up.
      this.#process.kill("SIGTERM");
      await gone;
    }
    this.#reader.close();
  }

  /** What it has said on its console. */
  get console(): string {
    const file = `/var/lib/podgen-test/machines/${this.#name}.log`;
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  async #line(what: string, timeout: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: no answer after ${timeout} ms\n${this.console}`)), timeout);
    });
    try {
      const next = await Promise.race([this.#lines.next(), late]);
      if (next.done) throw new Error(`${what}: the machine has ended\n${this.console}`);
      return next.value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a shell script as root; never rejects for its exit code. */
  try(script: string, timeout = RUN_DEADLINE): Promise<Answer> {
    const answer = this.#turn.then(async () => {
      this.#process.stdin.write(`${Buffer.from(script).toString("base64")}\n`);
      const [code, stdout, stderr] = (await this.#line(script, timeout)).split(" ");
      const text = (part = ""): string => Buffer.from(part, "base64").toString();
      return { code: Number(code), stdout: text(stdout), stderr: text(stderr) };
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** The same with exit code 0 demanded; its standard output. */
  async run(script: string, timeout?: number): Promise<string> {
    const r = await this.try(script, timeout);
    if (r.code !== 0) throw new Error(`${script}: exit code ${r.code}\n${r.stdout}${r.stderr}\n${this.console}`);
    return r.stdout.trim();
  }
}
