// podgen status --watch: the same again whenever something changes; a live view in a terminal, a line of JSON per change elsewhere.
import type { PodStatus } from "../status/types.js";
import type { Args } from "./args.js";
import type { Context, Output } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { statuses } from "./pods.js";

/** Milliseconds. Changes of one start or stop come within this. */
const COALESCE = 100;
/** What no unit says: results of probes, an apply that makes pods. And ages grow. */
const LOOK_AGAIN = 2_000;

/** Cursor home, and what is below and behind it cleared (ECMA-48): nothing flickers, nothing scrolls. */
const CLEAR = "\x1b[2J";
const HOME = "\x1b[H";
const END_OF_LINE = "\x1b[K\n";
const BELOW = "\x1b[J";

/** Until the context's signal aborts. `show` prints what status prints without --watch. */
export async function watchStatus(args: Args, context: Context, show: (context: Context) => Promise<number>): Promise<number> {
  const format = args.text("output");
  if (format === "yaml" || format === "name") throw new UserError(`--watch prints text or json, not ${format}`, EXIT.usage);
  const bell = new Bell(context.signal);
  await (await context.host.manager()).follow({ changed: () => bell.ring() });
  const asLines = format === "json" ? new Lines(args, context) : undefined;
  const view = new View(context.out);
  while (!context.signal.aborted) {
    if (asLines === undefined) await view.draw((out) => show({ ...context, out }));
    else await asLines.print();
    await bell.wait();
  }
  return EXIT.done;
}

/** A hint may come while we look: then the next look follows at once. */
class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: () => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.ring(), { once: true });
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  async wait(): Promise<void> {
    if (!this.#rung) await this.#ringOr(LOOK_AGAIN);
    if (this.#rung && !this.#signal.aborted) await new Promise((resolve) => setTimeout(resolve, COALESCE));
    this.#rung = false;
  }

  #ringOr(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A pod per line: all at first, then those that are another than before, and those that are gone. */
class Lines {
  readonly #args: Args;
  readonly #context: Context;
  #before = new Map<string, string>();
  /** Pods that were named, workloads' too; absent: all. */
  #chosen: ReadonlySet<string> | undefined;

  constructor(args: Args, context: Context) {
    this.#args = args;
    this.#context = context;
  }

  async print(): Promise<void> {
    const { out } = this.#context;
    const now = new Map((await this.#pods()).map((pod) => [pod.name, line(pod)]));
    for (const [name, text] of now) if (this.#before.get(name) !== text) out.write(text);
    for (const name of this.#before.keys()) if (!now.has(name)) out.write(line({ name, phase: "Deleted" }));
    this.#before = now;
  }

  /** One that is gone may come again: only the first look wants all names to be there. */
  async #pods(): Promise<PodStatus[]> {
    const chosen = this.#chosen;
    if (chosen !== undefined) return (await statuses(this.#context, [])).filter((pod) => chosen.has(pod.name));
    const names = this.#args.list("pods");
    const pods = await statuses(this.#context, names);
    if (names.length > 0) this.#chosen = new Set(pods.map((pod) => pod.name));
    return pods;
  }
}

function line(pod: PodStatus | { readonly name: string; readonly phase: "Deleted" }): string {
  return `${JSON.stringify({ apiVersion: "podgen.io/v1", kind: "PodStatus", ...pod })}\n`;
}

/** Off a terminal the whole again, with an empty line before, when it is another. */
class View {
  readonly #out: Output;
  #last: string | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  async draw(show: (out: Output) => Promise<unknown>): Promise<void> {
    const pieces: string[] = [];
    const { isTTY, columns } = this.#out;
    await show({ isTTY, columns, write: (piece) => void pieces.push(piece), bytes: async () => {} });
    const text = pieces.join("");
    if (text === this.#last) return;
    if (isTTY) this.#out.write(`${this.#last === undefined ? CLEAR : ""}${HOME}${text.replaceAll("\n", END_OF_LINE)}${BELOW}`);
    else this.#out.write(this.#last === undefined ? text : `\n${text}`);
    this.#last = text;
  }
}
