// The vocabulary of doctor: whom it looks at, and what a rule says.
import type { Paths } from "../../base/facts.js";
import type { Check } from "../../ports/host.js";

/** The user whose machine is examined, and podgen's own podrt. */
export interface Subject {
  readonly env: NodeJS.ProcessEnv;
  readonly paths: Paths;
  readonly user: string;
  readonly uid: number;
  readonly podrt: string;
}

/** A check without its name. */
export type Outcome = Pick<Check, "status" | "detail" | "fix">;

export const ok = (detail: string): Outcome => ({ status: "ok", detail });
export const warn = (detail: string, fix?: string): Outcome => ({ status: "warn", detail, ...(fix === undefined ? {} : { fix }) });
export const fail = (detail: string, fix?: string): Outcome => ({ status: "fail", detail, ...(fix === undefined ? {} : { fix }) });
