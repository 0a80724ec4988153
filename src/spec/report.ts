// Where findings about a document are collected, with the wording they share.
import type { Diagnostic, Severity } from "../base/diagnostic.js";
import { type Node, type Place, type ScalarNode, typeName } from "./node.js";
import { Path } from "./path.js";
import { MAX_SHOWN, quote } from "./quote.js";

/** What is wrong with a value; `problem` goes after the value: "is not a port name (…)". */
export interface Problem {
  readonly problem: string;
  readonly hint?: string;
  /** `bad-value` when absent. */
  readonly code?: string;
}

/** The findings of one object. In a `secret` one no value and no source line is shown. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly secret: boolean;

  constructor(secret = false) {
    this.secret = secret;
  }

  error(code: string, place: Place, path: Path, problem: string, hint?: string): void {
    this.#add("error", code, place, path, problem, hint);
  }

  warning(code: string, place: Place, path: Path, problem: string, hint?: string): void {
    this.#add("warning", code, place, path, problem, hint);
  }

  /** A finding about a value that has the right type. */
  value(node: ScalarNode, path: Path, found: Problem): void {
    const shown = this.secret ? "the value" : typeof node.value === "string" ? quote(node.text) : node.text.slice(0, MAX_SHOWN);
    this.#add("error", found.code ?? "bad-value", node.place, path, `${shown} ${found.problem}`, found.hint);
  }

  /** A node in the words of a message: `the integer 8080`, `a list`. */
  describe(node: Node): string {
    if (node.kind !== "scalar" || node.value === null || this.secret) return typeName(node);
    return `${typeName(node).replace(/^an? /, "the ")} ${node.plain ? node.text.slice(0, MAX_SHOWN) : quote(node.text)}`;
  }

  #add(severity: Severity, code: string, place: Place, path: Path, problem: string, hint?: string): void {
    this.diagnostics.push({
      code,
      severity,
      message: path === Path.root ? problem : `${path}: ${problem}`,
      at: place.at,
      length: place.length,
      ...(hint === undefined ? {} : { hint }),
      ...(this.secret ? { secret: true } : {}),
    });
  }
}
