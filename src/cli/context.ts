// What every command is given: the ports, the streams, the words of the command line. Nothing global is read elsewhere in cli/.
import type { Host } from "../ports/host.js";

export interface Output {
  write(text: string): void;
  /** Data that is no text; ends when there is room for more. */
  bytes(piece: Uint8Array): Promise<void>;
  readonly isTTY: boolean;
  readonly columns: number;
}

export interface Context {
  readonly host: Host;
  /** Data. */
  readonly out: Output;
  /** Messages, progress, diagnostics. */
  readonly err: Output;
  readonly stdin: { readonly isTTY: boolean; text(): Promise<string> };
  /** One line of an answer, undefined for none; `hidden`: not shown as it is typed. Absent: there is nobody to ask. */
  readonly ask?: (question: string, hidden: boolean) => Promise<string | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly uid: number;
  /** Absolute paths of the node and the podgen that run us: units of the watcher name them. */
  readonly node: string;
  readonly executable: string;
  /** Runs podrt on our terminal; see Spawned. */
  spawnRuntime(words: readonly string[], options: { readonly attach: boolean; readonly stdin: boolean }): Promise<Spawned>;
  /** Aborted by SIGINT and SIGTERM: long commands (logs -f, watch) end then. */
  readonly signal: AbortSignal;
}

/** A podrt that was handed the terminal. */
export interface Spawned {
  readonly pid: number;
  /** Lets one that was spawned with `attach` go on, once it is in the cgroup where it belongs. */
  release(): void;
  /** Exit code; 128+N for a signal. */
  readonly exit: Promise<number>;
}

/** Colour only on a terminal, never with NO_COLOR or TERM=dumb. */
export function useColor(output: Output, env: Context["env"]): boolean {
  return output.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
