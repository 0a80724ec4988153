// The whole host behind its ports, each opened when first asked for, so that a command pays only for what it uses.
import type { HostFacts, Paths } from "../base/facts.js";
import type { FileReader, FileWriter } from "./files.js";
import type { Images } from "./images.js";
import type { Journal } from "./journal.js";
import type { Manager } from "./manager.js";
import type { Runtime } from "./runtime.js";

export interface Check {
  readonly id: string;
  readonly title: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  /** The exact command that mends it. */
  readonly fix?: string;
}

export interface LingerStatus {
  readonly user: string;
  readonly enabled: boolean;
}

export interface Linger {
  status(): Promise<LingerStatus>;
  /** Over logind's D-Bus; a polkit refusal is explained in the error's hint. */
  set(enabled: boolean): Promise<void>;
}

/** Words to run podrt with, for commands that hand the terminal over (exec, unshare). */
export interface Spawned {
  readonly pid: number;
  /** Lets a command that waits for it go on (`--attach-fd`). */
  release(): void;
  /** Exit code; 128+N for a signal. */
  readonly exit: Promise<number>;
}

export interface Host {
  readonly user: string;
  paths(): Paths;
  /** `manager` says its version, when one is at hand; without it facts ask for none (0 where unknown). */
  facts(): Promise<HostFacts>;
  files(): FileWriter;
  reader(): FileReader;
  /** Connects to the user's bus; throws an error with a hint when there is none. */
  manager(): Promise<Manager>;
  images(): Promise<Images>;
  journal(): Promise<Journal>;
  runtime(): Promise<Runtime>;
  linger(): Promise<Linger>;
  doctor(): Promise<readonly Check[]>;
  /** Runs podrt with our terminal; `attach` adds `--attach-fd`. */
  spawnRuntime(words: readonly string[], options: { readonly attach: boolean; readonly stdin: boolean }): Promise<Spawned>;
  /** Absolute path of this podgen, for units that run it (watch --install). */
  readonly executable: string;
  /** Closes what was opened; always called, at the end. */
  close(): Promise<void>;
}
