// Files that are not applied, each reported once per content and kind of finding.
import type { Diagnostic } from "../../base/diagnostic.js";
import { hasErrors } from "../../base/diagnostic.js";
import type { SpecText, Unread } from "../input.js";
import { compileModel } from "../pipeline.js";
import type { Reporter } from "./report.js";

/** In place of a source: findings about the machine. */
const MACHINE = "";

export class Rejects {
  readonly #reporter: Reporter;
  /** source -> what was reported of it. */
  readonly #reported = new Map<string, string>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Leaves out files with errors, also those that only err together (two pods of one name): the first stays good. */
  sift(texts: readonly SpecText[]): SpecText[] {
    let good = [...texts];
    for (;;) {
      const { diagnostics } = compileModel(good);
      if (!hasErrors(diagnostics)) return good;
      const next = this.without(good, diagnostics);
      if (next.length === good.length) return [];
      good = next;
    }
  }

  /** The texts that no error is about. An error without a place is about all of them: it is reported and leaves out none. */
  without(texts: readonly SpecText[], diagnostics: readonly Diagnostic[]): SpecText[] {
    const errors = diagnostics.filter((d) => d.severity === "error");
    const bad = new Set(errors.map((d) => d.at?.file));
    for (const text of texts) {
      if (!bad.has(text.file)) continue;
      const own = diagnostics.filter((d) => d.at?.file === text.file);
      // The words of an error may differ at each try (a time, a port): its kind and place count.
      const kinds = own.map((d) => `${d.code} ${d.at?.line}:${d.at?.column}`).sort();
      if (this.#isNew(text.source, JSON.stringify([kinds, text.text, [...(text.variables?.values ?? [])]])))
        this.#reporter.rejected(text, own);
    }
    const rest = texts.filter((t) => !bad.has(t.file));
    const general = errors.filter((d) => d.at === undefined);
    const message = general.map((d) => d.message).join("; ");
    if (general.length > 0 && rest.length === texts.length && this.#isNew(MACHINE, message)) this.#reporter.failed(new Error(message));
    return rest;
  }

  unread(entries: readonly Unread[]): void {
    for (const { source, error } of entries) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.#isNew(source, message)) this.#reporter.unread(source, error);
    }
  }

  /** These were applied: should they be bad again, that is news. */
  accept(texts: readonly SpecText[]): void {
    for (const source of [MACHINE, ...texts.map((t) => t.source)]) this.#reported.delete(source);
  }

  #isNew(source: string, what: string): boolean {
    if (this.#reported.get(source) === what) return false;
    this.#reported.set(source, what);
    return true;
  }
}
