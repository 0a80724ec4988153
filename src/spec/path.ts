// The path of a field in its document: kept as steps, made text only for a finding.
import { quote } from "./quote.js";

export class Path {
  readonly #parent: Path | undefined;
  readonly #step: string | number;

  private constructor(parent: Path | undefined, step: string | number) {
    this.#parent = parent;
    this.#step = step;
  }

  /** The document itself. */
  static readonly root = new Path(undefined, "");

  /** A field of this object, or an item of this list. */
  child(step: string | number): Path {
    return new Path(this, step);
  }

  /** `spec.containers[0].image`; a key that is no plain word goes in brackets: `metadata.labels["a/b"]`. "" for the root. */
  toString(): string {
    if (this.#parent === undefined) return "";
    const before = this.#parent.toString();
    if (typeof this.#step === "number") return `${before}[${this.#step}]`;
    if (!/^[A-Za-z_$][\w$-]*$/.test(this.#step)) return `${before}[${quote(this.#step)}]`;
    return before === "" ? this.#step : `${before}.${this.#step}`;
  }
}
