// The words of one command after parsing, with typed access: no command reads an untyped value.

export class Args {
  private readonly values: Readonly<Record<string, unknown>>;
  /** What stood after `--`, untouched. */
  readonly rest: readonly string[];

  constructor(values: Readonly<Record<string, unknown>>, rest: readonly string[] = []) {
    this.values = values;
    this.rest = rest;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    const last = Array.isArray(value) ? value[value.length - 1] : value;
    return last === undefined || last === null ? undefined : String(last);
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** All values of a repeatable option or a variadic positional. */
  list(name: string): string[] {
    const value = this.values[name];
    if (value === undefined || value === null) return [];
    return (Array.isArray(value) ? value : [value]).map(String);
  }

  /** A duration (seconds) or a count, which values.ts has read and checked. */
  number(name: string): number | undefined {
    const value = this.values[name];
    return typeof value === "number" ? value : undefined;
  }
}
