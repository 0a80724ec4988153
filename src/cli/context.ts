// What every command is given: the ports, the streams, the words of the command line. Nothing global is read elsewhere in cli/.
import type { Host } from "../ports/host.js";

export interface Output {
  write(text: string): void;
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
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly uid: number;
  /** Aborted by SIGINT and SIGTERM: long commands (logs -f, watch) end then. */
  readonly signal: AbortSignal;
}

/** Colour only on a terminal, never with NO_COLOR or TERM=dumb. */
export function useColor(output: Output, env: Context["env"]): boolean {
  return output.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
