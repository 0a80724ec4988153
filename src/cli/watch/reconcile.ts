// One look of the watcher at its folder: good files are applied together, bad ones are reported and change nothing.
import { type Diagnostic, hasErrors } from "../../base/diagnostic.js";
import { applyDeletion, carryOut } from "../commands/apply.js";
import { deletionOf } from "../commands/delete.js";
import type { Context } from "../context.js";
import type { SpecText } from "../input.js";
import { compileModel } from "../pipeline.js";
import { manifestOf } from "../pods.js";
import { printDiagnostics } from "../print.js";
import { openReaders, propose } from "../session.js";
import { showFailures, showObject } from "../show.js";

export class Reconciler {
  private readonly folder: string;
  private readonly wishes: { readonly prune: boolean; readonly timeout: number };
  private readonly asJson: boolean;
  private readonly context: Context;
  /** source -> the text that was reported as bad, so that it is reported once and not at every look. */
  private readonly reported = new Map<string, string>();
  /** source -> since when it has been away, milliseconds since the epoch. */
  private readonly away = new Map<string, number>();
  private readonly announced = new Set<string>();

  constructor(folder: string, wishes: { readonly prune: boolean; readonly timeout: number }, asJson: boolean, context: Context) {
    this.folder = folder;
    this.wishes = wishes;
    this.asJson = asJson;
    this.context = context;
  }

  /** True when a source of a pod is away and it is too early to call it gone. */
  async run(texts: readonly SpecText[], now: number, awayMs: number): Promise<boolean> {
    const good = this.sift(texts);
    if (good.length > 0) await this.apply(good);
    return this.lookForMissing(texts, now, awayMs);
  }

  failed(error: unknown): void {
    const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? `\n  hint: ${error.hint}` : "";
    this.context.err.write(`error: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
  }

  /** Leaves out files with errors, also those that only err together (two pods of one name): the first stays good. */
  private sift(texts: readonly SpecText[]): SpecText[] {
    let good = [...texts];
    for (;;) {
      const { diagnostics } = compileModel(good);
      if (!hasErrors(diagnostics)) return good;
      const next = this.without(good, diagnostics);
      if (next.length === good.length) return [];
      good = next;
    }
  }

  /** The texts that no error is about; what is left out is reported, once per content. */
  private without(texts: readonly SpecText[], diagnostics: readonly Diagnostic[]): SpecText[] {
    const bad = new Set(diagnostics.filter((d) => d.severity === "error").map((d) => d.at?.file));
    for (const text of texts) {
      if (!bad.has(text.file) || this.reported.get(text.source) === text.text) continue;
      this.reported.set(text.source, text.text);
      const own = diagnostics.filter((d) => d.at?.file === text.file);
      if (this.asJson) this.event({ type: "rejected", source: text.source, diagnostics: own });
      else printDiagnostics(this.context, own, texts);
    }
    return texts.filter((t) => !bad.has(t.file));
  }

  private async apply(texts: readonly SpecText[]): Promise<void> {
    const { context } = this;
    try {
      const wishes = { prune: false, adopt: false, passive: true, wait: true, timeout: this.wishes.timeout };
      let good = [...texts];
      let proposal = await propose(good, await openReaders(context), wishes);
      // An image that cannot be had, say, keeps only its own file's pods as they are.
      while (proposal.value === undefined) {
        const next = this.without(good, proposal.diagnostics);
        if (next.length === good.length || next.length === 0) {
          if (next.length !== 0) printDiagnostics(context, proposal.diagnostics, good);
          return;
        }
        good = next;
        proposal = await propose(good, await openReaders(context), wishes);
      }
      for (const text of good) this.reported.delete(text.source);
      if (proposal.value.changes.empty) return;
      const report = await carryOut(good, proposal.value, await openReaders(context), wishes, context);
      for (const pod of report.pods) {
        if (pod.outcome === "unchanged") continue;
        if (this.asJson) this.event({ type: "applied", pod: pod.name, outcome: pod.outcome, actions: pod.actions });
        else context.out.write(`pod/${pod.name} ${pod.outcome}\n`);
      }
      context.err.write(showFailures(report));
    } finally {
      // Gives the writer's lock back and leaves nothing open while nothing happens.
      await context.host.close();
    }
  }

  /** Pods whose file in this folder is away: reported when it stays so, deleted only with --prune. */
  private async lookForMissing(texts: readonly SpecText[], now: number, awayMs: number): Promise<boolean> {
    const present = new Set(texts.map((t) => t.source));
    const manifest = await manifestOf(this.context);
    const missing = new Map<string, string[]>();
    for (const pod of Object.values(manifest.pods))
      if (pod.source.startsWith(`${this.folder}/`) && !present.has(pod.source))
        missing.set(pod.source, [...(missing.get(pod.source) ?? []), pod.name]);
    // Of a file that held nothing else; those that a pod refers to, or that came with one, are the pods' matter.
    const used = new Set(Object.values(manifest.pods).flatMap((p) => p.objects));
    for (const [key, { source = "" }] of Object.entries(manifest.objects))
      if (source.startsWith(`${this.folder}/`) && !present.has(source) && !missing.has(source) && !used.has(key)) missing.set(source, []);
    for (const source of [...this.away.keys()]) if (!missing.has(source)) this.forget(source);
    let early = false;
    for (const [source, pods] of missing) {
      const since = this.away.get(source) ?? now;
      this.away.set(source, since);
      if (now - since < awayMs) early = true;
      else await this.gone(source, pods);
    }
    return early;
  }

  private forget(source: string): void {
    this.away.delete(source);
    this.announced.delete(source);
  }

  private async gone(source: string, pods: readonly string[]): Promise<void> {
    if (this.wishes.prune) {
      try {
        const readers = await openReaders(this.context);
        const report = await applyDeletion(this.context, readers, () => deletionOf(this.context, readers, pods, { sources: [source] }));
        for (const pod of report.pods) this.context.out.write(`pod/${pod.name} ${pod.outcome} (${source} is gone)\n`);
        for (const object of report.objects) this.context.out.write(showObject(object));
        this.forget(source);
      } finally {
        await this.context.host.close();
      }
      return;
    }
    if (this.announced.has(source)) return;
    this.announced.add(source);
    if (this.asJson) this.event({ type: "missing", source, pods });
    else if (pods.length === 0) this.context.err.write(`${source} is gone; its ConfigMaps and Secrets stay\n`);
    else this.context.err.write(`${source} is gone; its pods go on: ${pods.join(", ")}. podgen delete ${pods.join(" ")} removes them\n`);
  }

  private event(value: Readonly<Record<string, unknown>>): void {
    this.context.out.write(`${JSON.stringify({ apiVersion: "podgen.io/v1", kind: "WatchEvent", ...value })}\n`);
  }
}
