// podrt, as the TypeScript half calls it, and what it leaves in the runtime folder. Implemented by host/native/.
import type { LastEnd, PodFailure, ProbeKill, ProbeRecord, RunState } from "../base/installed.js";

export interface RuntimeReader {
  /** `<run>/pods/POD/CONTAINER/state.json`; undefined where the container was not started since boot. */
  state(pod: string, container: string): Promise<RunState | undefined>;
  /** What its probes have found; undefined where it has none, or they have not run since boot. */
  probes(pod: string, container: string): Promise<ProbeRecord | undefined>;
  /** How it last ended; undefined where it has not since boot. */
  lastEnd(pod: string, container: string): Promise<LastEnd | undefined>;
  /** Which probe has ended a process of the container, and why; undefined where none has since boot. */
  probeKill(pod: string, container: string): Promise<ProbeKill | undefined>;
  /** Why the pod was ended; undefined where it was not since its last start. */
  podFailure(pod: string): Promise<PodFailure | undefined>;
}

export interface Runtime extends RuntimeReader {
  /** Puts our podrt at its stable path: a link to a file named by its digest, swapped atomically. True when it changed. */
  install(): Promise<boolean>;
  /** Removes folders whose files belong to subordinate ids (`podrt rmtree`, inside the user namespace). */
  removeTrees(paths: readonly string[]): Promise<void>;
  /** Makes the mark `ready` of a container that no probes speak for any more. */
  markReady(pod: string, container: string): Promise<void>;
  /**
   * Makes the files of a running container those of its bundle by now (`podrt refresh`); nothing where it does not run. Throws HostError
   * runtime-failed.
   */
  refresh(pod: string, container: string): Promise<void>;
  /** Forgets the restart back-off of a container, so that the next start is at once. */
  clearBackoff(pod: string, container: string): Promise<void>;
}
