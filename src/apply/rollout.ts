// A workload's change, step by step: each step's files are written and its pods brought up; what fails takes all of it back.
import type { Manifest } from "../base/installed.js";
import type { PodChange, Rollout, RolloutStep } from "../diff/types.js";
import { HostError } from "../ports/host.js";
import { takeBack } from "./abandon.js";
import { removeFiles, writeFiles } from "./files.js";
import { forgetPod, stopPod } from "./pods.js";
import { putBack } from "./put-back.js";
import { staysReady } from "./stays-ready.js";
import type { ApplyOptions, ApplyPorts, PodReport } from "./types.js";
import { stopUnits, withVerdict } from "./units.js";

/** Brings one pod up, whose files are in place, and judges it. */
export type BringUp = (change: PodChange, options: ApplyOptions) => Promise<PodReport>;

/** One rollout of an apply. Nothing is done before `carryOut`; what has failed is to be taken back with `undo`. */
export class Rolling {
  readonly reports = new Map<string, PodReport>();
  readonly #ports: ApplyPorts;
  readonly #rollout: Rollout;
  readonly #changes: ReadonlyMap<string, PodChange>;
  readonly #options: ApplyOptions;
  readonly #bringUp: BringUp;
  /** Pods of which something was written or started, in that order. */
  readonly #begun: PodChange[] = [];
  readonly #stopped = new Set<string>();
  failed = false;

  constructor(ports: ApplyPorts, rollout: Rollout, pods: readonly PodChange[], options: ApplyOptions, bringUp: BringUp) {
    this.#ports = ports;
    this.#rollout = rollout;
    this.#changes = new Map([...pods, ...rollout.surge.map((s) => s.change)].map((p) => [p.name, p]));
    const { progressDeadlineSeconds } = rollout;
    this.#options = progressDeadlineSeconds === undefined ? options : { ...options, timeout: progressDeadlineSeconds * 1000 };
    this.#bringUp = bringUp;
  }

  /** The pods of the rollout that are in the change set. */
  get pods(): PodChange[] {
    return this.#rollout.pods.map((name) => this.#change(name));
  }

  async carryOut(): Promise<void> {
    const { steps } = this.#rollout;
    for (const step of steps) {
      for (const name of step.stop) await this.#stop(name);
      // What the next step gives up rests on this one: only the last need not be waited for.
      const wait = this.#options.wait || step !== steps.at(-1);
      if (step.up.length > 0 && !(await this.#bring(step, wait))) {
        this.failed = true;
        return;
      }
      for (const name of step.remove) await this.#remove(this.#change(name));
    }
    for (const change of this.#begun) await removeFiles(this.#ports, change.files.filter(isData), this.#options.roots);
  }

  /** Takes all of it back; `after`: what podgen owns then. Pods that were not touched yet are reported with the others. */
  async undo(after: Manifest): Promise<void> {
    for (const change of [...this.#begun].reverse()) {
      const report = { ...failure(change, []), ...this.reports.get(change.name), outcome: "failed" as const };
      this.reports.set(change.name, await putBack(this.#ports, change, report, after, this.#options));
    }
    const old = [...this.#stopped].filter((name) => !this.#begun.some((c) => c.name === name));
    await Promise.all(old.map((name) => this.#ports.manager.start(`pod-${name}.service`, this.#options.timeout)));
    for (const change of this.pods) {
      const known = this.reports.get(change.name);
      if (known !== undefined && (known.outcome !== "failed" || this.#begun.includes(change))) continue;
      const was = this.#options.manifest.pods[change.name] !== undefined;
      this.reports.set(change.name, { ...failure(change, known?.failures ?? []), outcome: was ? "rolled-back" : "failed" });
    }
    for (const { change } of this.#rollout.surge) this.#tellOfSurge(change.name);
  }

  /** A surge pod is nobody's whose name people know: the first pod of the workload says what was wrong with it. */
  #tellOfSurge(name: string): void {
    const surge = this.reports.get(name);
    this.reports.delete(name);
    const [first] = this.pods;
    const report = first === undefined ? undefined : this.reports.get(first.name);
    if (surge === undefined || report === undefined) return;
    this.reports.set(report.name, { ...report, failures: [...report.failures, ...surge.failures] });
  }

  #change(name: string): PodChange {
    const change = this.#changes.get(name);
    if (change === undefined) throw new Error(`rollout ${this.#rollout.name} speaks of a pod that does not change: ${name}`);
    return change;
  }

  async #stop(name: string): Promise<void> {
    this.#stopped.add(name);
    await stopPod(this.#ports, this.#change(name), this.#options);
  }

  /** True when all of the step's pods are up, and have been ready for long enough. */
  async #bring(step: RolloutStep, wait: boolean): Promise<boolean> {
    const changes = step.up.map((name) => this.#change(name));
    this.#begun.push(...changes);
    const prepared = await this.#try(changes, () => this.#prepare(changes));
    if (!prepared) {
      // Nothing was started: where the disk is full, only what was written is to be undone.
      await takeBack(this.#ports, { pods: changes, shared: [] }, this.#options);
      this.#begun.splice(-changes.length);
      return false;
    }
    const options = { ...this.#options, wait };
    const reports = await Promise.all(changes.map((change) => this.#bringUp(change, options)));
    for (const report of reports) this.reports.set(report.name, report);
    if (reports.some((r) => r.outcome === "failed")) return false;
    const seconds = wait ? this.#rollout.minReadySeconds : 0;
    const failures = await Promise.all(changes.map((change) => staysReady(this.#ports, change, seconds, this.#options)));
    for (const [i, found] of failures.entries()) {
      const change = changes[i];
      if (change !== undefined && found.length > 0)
        this.reports.set(change.name, { ...failure(change, found), actions: reports[i]?.actions ?? [] });
    }
    return failures.every((found) => found.length === 0);
  }

  /** The files of these pods, but for data that others may still read; as in the transaction itself, unit files last. */
  async #prepare(changes: readonly PodChange[]): Promise<void> {
    const { manager } = this.#ports;
    for (const change of changes) {
      const gone = withVerdict(change, "remove").map((u) => u.unit);
      await stopUnits(this.#ports, gone, this.#options.stopTimeout);
    }
    const files = changes.flatMap((change) => change.files);
    await writeFiles(this.#ports, files);
    await removeFiles(
      this.#ports,
      files.filter((f) => !isData(f)),
      this.#options.roots,
    ); // prettier-ignore
    const enable = changes.flatMap((change) => change.enable);
    if (enable.length > 0) await manager.enable(enable);
    await manager.reload();
  }

  async #remove(change: PodChange): Promise<void> {
    const going = this.#rollout.surge.find((s) => s.change === change)?.removal ?? change;
    await stopPod(this.#ports, going, this.#options);
    await this.#ports.manager.disable(going.disable);
    await removeFiles(this.#ports, going.files, this.#options.roots);
    await this.#ports.manager.reload();
    const report = await forgetPod(this.#ports, going);
    // Nobody has asked for a surge pod, nor misses it.
    if (going === change) this.reports.set(change.name, report);
    else this.reports.delete(change.name);
  }

  /** An error of files or of the manager is the pods' failure; a bus that is gone is everybody's. */
  async #try(changes: readonly PodChange[], work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof HostError && error.code === "bus-closed") throw error;
      const reason = error instanceof Error ? error.message : String(error);
      for (const change of changes) {
        const unit = `pod-${change.name}.service`;
        const found = { pod: change.name, unit, reason, restarts: 0, lastLines: [], hint: `systemctl --user status ${unit}` };
        this.reports.set(change.name, failure(change, [found]));
      }
      return false;
    }
  }
}

function failure(change: PodChange, failures: PodReport["failures"]): PodReport {
  return { name: change.name, outcome: "failed", actions: [], failures };
}

function isData(file: PodChange["files"][number]): boolean {
  return file.kind === "data" && file.action === "remove";
}
