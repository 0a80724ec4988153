// What the planning of one pod is given, and where it puts what it finds.
import type { Diagnostic, Location } from "../base/diagnostic.js";
import type { HostFacts, ImageFacts } from "../base/facts.js";
import type { PodModel } from "../model/types.js";
import type { CdiRegistry } from "./cdi.js";
import type { Objects } from "./objects.js";
import type { PlannedAfter, PlannedData } from "./types.js";
import type { Unenforced } from "./unenforced.js";
import type { UsernsPlanner } from "./userns.js";

export interface PodContext {
  readonly pod: PodModel;
  readonly facts: HostFacts;
  readonly images: ReadonlyMap<string, ImageFacts>;
  readonly objects: Objects;
  /** PlanInput's. */
  readonly secretKey: Uint8Array | undefined;
  /** PlanInput's. */
  readonly profiles: ReadonlyMap<string, Uint8Array>;
  /** Devices that the machine's files declare. */
  readonly cdi: CdiRegistry;
  /** Hands out ids to the pods of this apply. */
  readonly userns: UsernsPlanner;
  /** Pods that it waits for; absent: none. */
  readonly after: readonly PlannedAfter[] | undefined;
  /** Pods that may stand in for it while it is replaced; absent: none. */
  readonly standIns?: readonly string[] | undefined;
  /** Keys (`Secret/login`) of the objects the pod refers to. */
  readonly used: Set<string>;
  /** Files the pod needs, by path: the same file asked for twice is one. */
  readonly data: Map<string, PlannedData>;
  readonly diagnostics: Diagnostic[];
  /** What the machine will not hold the pods of this apply to. */
  readonly unenforced: Unenforced[];
}

/** Adds an error at a place in the spec. */
export function refuse(context: PodContext, code: string, at: Location, message: string, hint?: string): void {
  context.diagnostics.push({ code, severity: "error", message, at, ...(hint === undefined ? {} : { hint }) });
}

/** Adds a warning at a place in the spec. */
export function warn(context: PodContext, code: string, at: Location, message: string, hint?: string): void {
  context.diagnostics.push({ code, severity: "warning", message, at, ...(hint === undefined ? {} : { hint }) });
}
