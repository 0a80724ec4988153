// Problems as data: every stage collects Diagnostics; cli/ prints them once, at the edge.

/** A place in a source file; line and column are 1-based and absolute in the file, also in its second document. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Severity = "error" | "warning";

/** One finding. `code` is stable and is what tests match; `message` and `hint` are for people. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** Absent when the finding is about the machine and not about a place in a file. */
  readonly at?: Location;
  /** How many characters the caret line underlines; 1 when absent. */
  readonly length?: number;
  /** What to do next, one sentence. */
  readonly hint?: string;
  /** The source line may hold a secret's value and must not be shown. */
  readonly secret?: boolean;
}

/** The outcome of a pure stage: a value, or none when any diagnostic is an error; warnings come with either. */
export interface Checked<T> {
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
}

/** True when at least one diagnostic forbids going on. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}

/** Without those that say at one place what another says there already: of a template's pods each finds the same. */
export function oncePerPlace(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ code, at }) => {
    if (at === undefined) return true;
    const key = `${code} ${at.file}:${at.line}:${at.column}`;
    return !seen.has(key) && seen.add(key);
  });
}
