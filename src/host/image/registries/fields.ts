// Typed looks into a TOML table: what has the wrong type or an unknown name is an error, as a typing mistake in `blocked` would be.
import { isTable, type Toml, type TomlTable } from "./toml.js";
import { configError } from "./types.js";

/** One table of one file; `at` names it in messages, `[[registry]] number 2` say. */
export class Fields {
  readonly #table: TomlTable;
  readonly #file: string;
  readonly #at: string;

  /** Throws ImageError image-config where a key is none of `known`. */
  constructor(table: TomlTable, file: string, at: string, known: readonly string[]) {
    this.#table = table;
    this.#file = file;
    this.#at = at;
    const unknown = Object.keys(table).find((key) => !known.includes(key));
    if (unknown !== undefined) this.fail(`unknown setting ${JSON.stringify(unknown)}`, `Settings there: ${known.join(", ")}.`);
  }

  fail(what: string, hint?: string): never {
    throw configError(this.#file, this.#at === "" ? what : `${this.#at}: ${what}`, hint);
  }

  text(key: string): string | undefined {
    const value = this.#table[key];
    if (value === undefined || typeof value === "string") return value;
    return this.fail(`${key} is not a string`);
  }

  flag(key: string): boolean {
    const value = this.#table[key];
    if (value === undefined || typeof value === "boolean") return value ?? false;
    return this.fail(`${key} is neither true nor false`);
  }

  texts(key: string): string[] | undefined {
    const value = this.#table[key];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((v): v is string => typeof v === "string")) return value;
    return this.fail(`${key} is not a list of strings`);
  }

  tables(key: string): TomlTable[] {
    const value = this.#table[key];
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((v: Toml) => isTable(v))) return value as TomlTable[];
    return this.fail(`${key} is not a list of tables`, `Write [[${key}]].`);
  }

  table(key: string): TomlTable {
    const value = this.#table[key];
    if (value === undefined) return {};
    return isTable(value) ? value : this.fail(`${key} is not a table`, `Write [${key}].`);
  }

  /** One of a few words; an empty one counts as absent. */
  choice<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value === undefined || value === "") return undefined;
    return words.find((w) => w === value) ?? this.fail(`${key} is ${JSON.stringify(value)}`, `One of: ${words.join(", ")}.`);
  }
}
