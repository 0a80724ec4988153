// Runs a helper program to its end: bounded in time and in output, never through a shell.
import { spawn } from "node:child_process";

export interface Finished {
  /** Exit code; undefined when a signal ended it or it could not be started. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit code: `killed by SIGKILL`, `not found`, `took longer than 5000 ms`. */
  readonly failure: string | undefined;
}

export interface RunOptions {
  /** Standard input; absent: it has none. */
  readonly input?: string;
  /** How many bytes of each stream are kept, the rest is dropped; absent: 1 MiB. */
  readonly limit?: number;
}

const MAX_OUTPUT = 1024 * 1024;

/**
 * Starts argv[0] (looked up in PATH) and waits for its end, `timeout` milliseconds at most, then kills it. Never
 * rejects: a program that is not there is a `failure` too.
 */
export function run(
  argv: readonly string[],
  timeout: number,
  env: NodeJS.ProcessEnv = process.env,
  options: RunOptions = {},
): Promise<Finished> {
  const [program = "", ...args] = argv;
  const { input, limit = MAX_OUTPUT } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...env, LC_ALL: "C.UTF-8" }, stdio: ["pipe", "pipe", "pipe"] });
    // It need not read what it is given.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const out = collect(child.stdout, limit);
    const err = collect(child.stderr, limit);
    let failure: string | undefined;
    const timer = setTimeout(() => {
      failure = `took longer than ${timeout} ms`;
      child.kill("SIGKILL");
      // A grandchild may hold the pipes open beyond that.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeout);
    const done = (code: number | undefined, why: string | undefined) => {
      clearTimeout(timer);
      resolve({ code, stdout: out(), stderr: err(), failure: failure ?? why });
    };
    // execvp(3): EACCES also where a folder of PATH may not be looked into and no other has the program.
    const missing = (error: Error): boolean =>
      "code" in error && (error.code === "ENOENT" || (error.code === "EACCES" && !program.includes("/")));
    child.once("error", (error) => done(undefined, missing(error) ? "not found" : error.message));
    child.once("close", (code, signal) => done(code ?? undefined, signal ? `killed by ${signal}` : undefined));
  });
}

function collect(stream: NodeJS.ReadableStream, limit: number): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    if (length < limit) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString("utf8", 0, Math.min(length, limit));
}
