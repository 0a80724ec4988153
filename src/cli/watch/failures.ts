// Changes that failed: to make them again, because another file was saved, would disturb a pod in which nothing changed.
import type { ApplyReport } from "../../apply/types.js";
import type { ManifestPod } from "../../base/installed.js";
import { sha256 } from "../../diff/manifest.js";
import type { ChangeSet } from "../../diff/types.js";
import type { SpecText } from "../input.js";
import type { Reporter } from "./report.js";

export class Failures {
  readonly #reporter: Reporter;
  /** pod -> digest of its file's text and of all that it would have become, images and objects included. */
  readonly #failed = new Map<string, string>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** True when just this was tried and failed. */
  has(wanted: ManifestPod, texts: readonly SpecText[]): boolean {
    return this.#failed.get(wanted.name) === digest(wanted, texts);
  }

  /** Pods that are as their files say need not be remembered, whoever has brought them there. */
  forgetUnchanged(changes: ChangeSet): void {
    for (const pod of changes.pods) if (pod.verdict === "unchanged") this.#failed.delete(pod.name);
  }

  /** Remembers what an apply could not do, and says so. */
  note(report: ApplyReport, changes: ChangeSet, texts: readonly SpecText[]): void {
    for (const { name, outcome } of report.pods) {
      const wanted = changes.pods.find((p) => p.name === name)?.manifest;
      if (wanted === undefined || (outcome !== "failed" && outcome !== "rolled-back")) {
        this.#failed.delete(name);
        continue;
      }
      this.#failed.set(name, digest(wanted, texts));
      this.#reporter.leftOut(name, wanted.source);
    }
  }
}

function digest(wanted: ManifestPod, texts: readonly SpecText[]): string {
  const found = texts.find((t) => t.source === wanted.source);
  const variables = [...(found?.variables?.values ?? [])];
  return sha256(new TextEncoder().encode(JSON.stringify([found?.text ?? "", variables, wanted])));
}
