// What the watcher says: lines for people, or one JSON object per event.
import type { ApplyReport } from "../../apply/types.js";
import type { Diagnostic } from "../../base/diagnostic.js";
import type { ChangeSet } from "../../diff/types.js";
import type { Context } from "../context.js";
import { HANDFUL } from "../handful.js";
import type { SpecText } from "../input.js";
import { printDiagnostics } from "../print.js";
import { entryName, showFailures, showObject } from "../show.js";
import type { Missed } from "./missing.js";

export class Reporter {
  readonly #context: Context;
  readonly #asJson: boolean;
  /** The error of the last look: one that is tried again and again is said once. */
  #error: string | undefined;
  /** Of the last change: what is said again and again is said once. */
  #notes: readonly string[] = [];

  constructor(context: Context, asJson: boolean) {
    this.#context = context;
    this.#asJson = asJson;
  }

  watching(folder: string): void {
    this.#context.err.write(`watching ${folder}\n`);
  }

  away(folder: string): void {
    if (this.#asJson) this.#event({ type: "away", source: folder });
    else this.#context.err.write(`${folder} is away: its pods go on, nothing is deleted; waiting until it is back\n`);
  }

  /** A text that is left out; findings that have no place are the machine's. */
  rejected(text: SpecText, diagnostics: readonly Diagnostic[]): void {
    if (this.#asJson) this.#event({ type: "rejected", source: text.source, diagnostics });
    else printDiagnostics(this.#context, diagnostics, [text]);
  }

  /** A file, or a folder in the folder, that cannot be read. */
  unread(source: string, error: unknown): void {
    if (this.#asJson)
      this.#event({ type: "rejected", source, diagnostics: [{ code: "unreadable", severity: "error", message: textOf(error) }] });
    else this.#context.err.write(`error: ${textOf(error)}; the other files go on\n`);
  }

  /** What people should know of a change, as apply says it. */
  noted({ notes = [] }: ChangeSet): void {
    const fresh = notes.filter((note) => !this.#notes.includes(note));
    this.#notes = notes;
    for (const message of fresh)
      if (this.#asJson) this.#event({ type: "note", message });
      else this.#context.err.write(`note: ${message}\n`);
  }

  applied(report: ApplyReport): void {
    for (const pod of report.pods) {
      if (pod.outcome === "unchanged") continue;
      if (this.#asJson) this.#event({ type: "applied", pod: pod.name, outcome: pod.outcome, actions: pod.actions });
      else this.#context.out.write(`${entryName(pod.name)} ${pod.outcome}\n`);
    }
    this.#context.err.write(showFailures(report));
  }

  /** A change that failed is not tried again until it is another one. */
  leftOut(pod: string, source: string): void {
    if (!this.#asJson) this.#context.err.write(`pod ${pod} is left as it is until ${source}, or what the pod uses, changes\n`);
  }

  /** `many`: --prune leaves them, for there are more of them than a handful. */
  missing({ source, pods, taken }: Missed, many = false): void {
    const names = pods.join(" ");
    if (many && !this.#asJson) this.#context.err.write(`more than ${HANDFUL} would go at a time, which --prune does with --yes alone:\n`);
    if (this.#asJson) this.#event({ type: "missing", source, pods, ...(many ? { many } : {}) });
    else if (pods.length === 0) this.#context.err.write(`${source} is gone; its ConfigMaps and Secrets stay\n`);
    else if (taken)
      this.#context.err.write(`${source} does not have ${pods.join(", ")} any more, which go on. podgen delete ${names} removes them\n`);
    else this.#context.err.write(`${source} is gone; its pods go on: ${pods.join(", ")}. podgen delete ${names} removes them\n`);
  }

  pruned({ source, taken }: Missed, report: ApplyReport): void {
    const why = taken ? `no longer in ${source}` : `${source} is gone`;
    for (const pod of report.pods) {
      if (this.#asJson) this.#event({ type: "applied", pod: pod.name, outcome: pod.outcome, actions: pod.actions });
      else this.#context.out.write(`${entryName(pod.name)} ${pod.outcome} (${why})\n`);
    }
    if (!this.#asJson) for (const object of report.objects) this.#context.out.write(showObject(object));
    this.#context.err.write(showFailures(report));
  }

  /** Something outside the files did not work. */
  failed(error: unknown): void {
    const text = textOf(error);
    if (text === this.#error) return;
    this.#error = text;
    const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? `\n  hint: ${error.hint}` : "";
    this.#context.err.write(`error: ${text}${hint}\n`);
  }

  /** A look has come to its end: the next error is a new one. */
  succeeded(): void {
    this.#error = undefined;
  }

  #event(value: Readonly<Record<string, unknown>>): void {
    this.#context.out.write(`${JSON.stringify({ apiVersion: "podgen.io/v1", kind: "WatchEvent", ...value })}\n`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
