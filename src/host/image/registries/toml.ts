// TOML files of containers/image: read with smol-toml, which is loaded where there is such a file only.
import { configError } from "./types.js";

export type Toml = string | number | bigint | boolean | Date | Toml[] | { readonly [key: string]: Toml };
export type TomlTable = { readonly [key: string]: Toml };

/** Throws ImageError image-config with file, line and column. */
export async function parseToml(text: string, file: string): Promise<TomlTable> {
  const { parse } = await import("smol-toml");
  try {
    return parse(text) as TomlTable;
  } catch (error) {
    const { line, column, message } = error as { line?: number; column?: number; message: string };
    const where = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
    // The message goes on with the lines around.
    throw configError(where, (message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "this is not TOML: "));
  }
}

export function isTable(value: Toml | undefined): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
