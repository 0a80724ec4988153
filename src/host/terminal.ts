// Questions to a person at the terminal: on standard error, so that standard output stays data.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** One line of an answer; undefined where the person ends it (Ctrl-C, Ctrl-D). `hidden`: what is typed is not shown. */
export function ask(question: string, hidden: boolean): Promise<string | undefined> {
  process.stderr.write(question);
  // readline shows what is typed by writing it: here nothing of it arrives.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => {
      if (hidden) process.stderr.write("\n");
      resolve(undefined);
    });
  });
}
