// Questions to a person at the terminal: on standard error, so that standard output stays data.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/**
 * One line of an answer; undefined where the person ends it (Ctrl-C, Ctrl-D). `hidden`: what is typed is not shown. When `signal` is aborted
 * the terminal is at once what it was: we may be about to die.
 */
export function ask(question: string, hidden: boolean, signal: AbortSignal): Promise<string | undefined> {
  // readline shows what is typed by writing it: here nothing of it arrives.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  const close = (): void => lines.close();
  signal.addEventListener("abort", close);
  // Not before: until now the terminal itself would show what is typed.
  process.stderr.write(question);
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => {
      signal.removeEventListener("abort", close);
      if (hidden) process.stderr.write("\n");
      resolve(undefined);
    });
  });
}
