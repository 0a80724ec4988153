// Wires the host into the command line; the only file that may import everything.
import { fstatSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runCli } from "./cli/cli.js";
import type { Context, Output } from "./cli/context.js";
import { createHost } from "./host/index.js";

const VERSION = "0.1.0";

/** /dev/null (Linux, admin-guide/devices.txt). */
const NULL_DEVICE = 0x103;

/** The streams of a process are made when somebody uses them: what Node loads for them takes milliseconds. */
function output(fd: 1 | 2): Output {
  let made: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => {
    if (made !== undefined) return made;
    made = fd === 1 ? process.stdout : process.stderr;
    // A closed pipe (`podgen logs | head`) ends us quietly, as any filter.
    if (fd === 1) made.on("error", endQuietly);
    return made;
  };
  const isTTY = isTerminal(fd);
  return {
    write: (text) => void stream().write(text),
    bytes: (piece) => new Promise((done) => (stream().write(piece) ? done() : stream().once("drain", done))),
    isTTY,
    get columns() {
      return (isTTY ? stream().columns : undefined) ?? 100;
    },
  };
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

/** As isatty(3); node:tty, which brings sockets with it, is asked only of what may be one. */
function isTerminal(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isCharacterDevice() && found.rdev !== NULL_DEVICE && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    return false;
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    abort.abort();
    // What does not listen to the abort ends now, as by the signal itself; the second signal needs no patience.
    if (!longRunning) process.kill(process.pid, signal);
  });
const longRunning = ["watch", "logs"].includes(process.argv[2] ?? "");

const host = createHost(process.env);
const [out, err, stdinIsTerminal] = [output(1), output(2), isTerminal(0)];
const context: Context = {
  host,
  out,
  err,
  stdin: { isTTY: stdinIsTerminal, text: readStdin },
  ...(stdinIsTerminal && err.isTTY
    ? { ask: async (question: string, hidden: boolean) => (await import("./host/terminal.js")).ask(question, hidden, abort.signal) }
    : {}),
  env: process.env,
  cwd: process.cwd(),
  uid: process.getuid?.() ?? 0,
  node: process.execPath,
  executable: fileURLToPath(new URL("../podgen", import.meta.url)),
  spawnRuntime: async (words, options) => (await import("./host/native/spawn.js")).spawnRuntime(host.paths, words, options),
  signal: abort.signal,
};

async function main(): Promise<void> {
  try {
    process.exitCode = await runCli(process.argv.slice(2), VERSION, context);
  } finally {
    await host.close();
  }
}

void main();
