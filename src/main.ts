// Wires the host into the command line; the only file that may import everything.
import { fileURLToPath } from "node:url";
import { runCli } from "./cli/cli.js";
import type { Context, Output } from "./cli/context.js";
import { createHost } from "./host/index.js";

const VERSION = "0.1.0";

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    bytes: (piece) => new Promise((done) => (stream.write(piece) ? done() : stream.once("drain", done))),
    isTTY: stream.isTTY === true,
    columns: stream.columns ?? 100,
  };
}

/** A closed pipe (`podgen logs | head`) ends us quietly, as any filter. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

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
const context: Context = {
  host,
  out: output(process.stdout),
  err: output(process.stderr),
  stdin: { isTTY: process.stdin.isTTY === true, text: readStdin },
  ...(process.stdin.isTTY && process.stderr.isTTY
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
