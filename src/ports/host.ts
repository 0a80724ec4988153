// What the machine gives to the commands: every effect behind a port, made when first asked for. Implemented by host/.
import type { HostFacts, Paths } from "../base/facts.js";
import type { FileWriter } from "./files.js";
import type { ImageCopies } from "./image-copy.js";
import type { ImageLists } from "./image-lists.js";
import type { ImageStore } from "./image-store.js";
import type { Images } from "./images.js";
import type { Journal } from "./journal.js";
import type { Logins } from "./logins.js";
import type { Manager, ManagerReader } from "./manager.js";
import type { Runtime } from "./runtime.js";

/**
 * Something outside podgen that did not work, told in words a person can act on. `code` is stable and is what callers
 * and tests look at: no-bus, bus-closed, bus-timeout, locked, journal-denied, journal-failed, file, runtime-missing,
 * runtime-failed, linger-denied, linger-unavailable, or a D-Bus error's own name.
 */
export class HostError extends Error {
  readonly code: string;
  /** What to do next, one sentence; commands in it can be pasted. */
  readonly hint: string | undefined;
  constructor(code: string, message: string, hint?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "HostError";
    this.code = code;
    this.hint = hint;
  }
}

/** Does the user's manager run without a login, from boot on? */
export interface LingerStatus {
  readonly enabled: boolean;
  /** Where this was read: logind's property, or the mark in /var/lib/systemd/linger that logind reads at boot. */
  readonly source: "logind" | "file";
}

export interface Linger {
  status(): Promise<LingerStatus>;
  /** Asks logind. Throws HostError linger-denied (polkit) or linger-unavailable (no system bus, no logind). */
  set(enable: boolean): Promise<void>;
}

/** The outcome of one of doctor's checks. */
export interface Check {
  /** Stable, `subordinate-ids` say. */
  readonly id: string;
  readonly title: string;
  readonly status: "ok" | "warn" | "fail";
  /** What was found, one or two sentences. */
  readonly detail: string;
  /** The exact command that mends it; lines are joined by newlines. */
  readonly fix?: string;
}

/** One user's machine. Each member is loaded when it is first asked for, so that commands pay for what they use. */
export interface Host {
  readonly paths: Paths;
  /** The planner's facts; costs a few small reads beside asking the manager for its version and its PATH. */
  facts(manager: Pick<ManagerReader, "version" | "searchPath">): Promise<HostFacts>;
  /** Connects at the first call; the same connection afterwards. Throws HostError no-bus. */
  manager(): Promise<Manager>;
  files(): Promise<FileWriter>;
  journal(): Promise<Journal>;
  runtime(): Promise<Runtime>;
  images(): Promise<Images>;
  imageStore(): Promise<ImageStore>;
  imageCopies(): Promise<ImageCopies>;
  imageLists(): Promise<ImageLists>;
  linger(): Promise<Linger>;
  /** The YAML that kustomize makes of a folder. Throws HostError kustomize-missing or kustomize-failed. */
  kustomize(folder: string): Promise<string>;
  logins(): Promise<Logins>;
  /** All checks at once, in a fixed order; takes at most about ten seconds. */
  doctor(): Promise<readonly Check[]>;
  /** Ends what was opened. Safe to call more than once. */
  close(): Promise<void>;
}
