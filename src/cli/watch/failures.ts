// Changes that failed: to make them again, because another file was saved, would disturb a pod in which nothing changed. Kept on
// disk (rejected.ts), for a watcher that starts anew is no reason to try them again either.
import type { ApplyReport } from "../../apply/types.js";
import type { ManifestPod } from "../../base/installed.js";
import { canonical } from "../../diff/manifest.js";
import type { ChangeSet } from "../../diff/types.js";
import type { Context } from "../context.js";
import type { SpecText } from "../input.js";
import { isRejected, type Rejected, readRejected, rejectedAs, writeRejected } from "../rejected.js";
import type { Reporter } from "./report.js";

export class Failures {
  readonly #reporter: Reporter;
  readonly #context: Pick<Context, "host">;
  #failed: Record<string, Rejected> = {};
  /** As it is on disk. */
  #saved = "";

  constructor(reporter: Reporter, context: Pick<Context, "host">) {
    this.#reporter = reporter;
    this.#context = context;
  }

  /** Before each look: a rollback, or an apply by hand, has had its say since. */
  async load(): Promise<void> {
    this.#failed = await readRejected(this.#context.host.paths, await this.#context.host.files());
    this.#saved = canonical(this.#failed);
  }

  /** After each look; nothing where nothing is new. */
  async save(): Promise<void> {
    const now = canonical(this.#failed);
    if (now === this.#saved) return;
    await writeRejected(this.#context.host.paths, await this.#context.host.files(), this.#failed);
    this.#saved = now;
  }

  /** True when just this was tried and failed, or was left by a rollback. */
  has(wanted: ManifestPod, texts: readonly SpecText[]): boolean {
    return isRejected(this.#failed, wanted, texts);
  }

  /** Pods that are as their files say need not be remembered, whoever has brought them there. */
  forgetUnchanged(changes: ChangeSet): void {
    for (const pod of changes.pods) if (pod.verdict === "unchanged") delete this.#failed[pod.name];
  }

  /** Remembers what an apply could not do, and says so. */
  note(report: ApplyReport, changes: ChangeSet, texts: readonly SpecText[]): void {
    for (const { name, outcome } of report.pods) {
      const wanted = changes.pods.find((p) => p.name === name)?.manifest;
      if (wanted === undefined || (outcome !== "failed" && outcome !== "rolled-back")) {
        delete this.#failed[name];
        continue;
      }
      this.#failed[name] = rejectedAs(wanted, texts);
      this.#reporter.leftOut(name, wanted.source);
    }
  }
}
