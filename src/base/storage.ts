// The settings of the store of images: `$XDG_CONFIG_HOME/podgen/storage.json`.

export const STORAGE_DRIVERS = ["auto", "overlay", "fuse-overlayfs", "vfs"] as const;
/** How layers become a container's root; `auto`: the first of the others that works at start. */
export type StorageDriver = (typeof STORAGE_DRIVERS)[number];

export interface StorageSettings {
  readonly driver: StorageDriver;
  /** Keep layers compressed, too, as they came: images then leave the store under the very digest they had. */
  readonly keepBlobs: boolean;
  /** Bounds of one layer, against bombs: uncompressed bytes; uncompressed to compressed beyond the first GiB; entries of its tar. */
  readonly layerLimits: { readonly bytes?: number; readonly ratio?: number; readonly entries?: number };
}

export const DEFAULT_STORAGE: StorageSettings = { driver: "auto", keepBlobs: false, layerLimits: {} };

/** Reads the file's text. Throws Error with what is wrong and what is possible: a setting is never silently ignored. */
export function parseStorage(text: string): StorageSettings {
  const json: unknown = JSON.parse(text);
  const top = members(json, ["driver", "keepBlobs", "layerLimits"], "it");
  const { driver = "auto", keepBlobs = false } = top;
  const known = STORAGE_DRIVERS.find((name) => name === driver);
  if (known === undefined) throw new Error(`driver is none of ${STORAGE_DRIVERS.join(", ")}`);
  if (typeof keepBlobs !== "boolean") throw new Error("keepBlobs is neither true nor false");
  const limits = members(top["layerLimits"] ?? {}, ["bytes", "ratio", "entries"], "layerLimits");
  for (const [name, value] of Object.entries(limits))
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1 || (name !== "bytes" && value >= 2 ** 32))
      throw new Error(`layerLimits.${name} is no whole number from 1 on`);
  return { driver: known, keepBlobs, layerLimits: limits };
}

function members(json: unknown, names: readonly string[], what: string): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(`${what} is no JSON object`);
  for (const name of Object.keys(json))
    if (!names.includes(name)) throw new Error(`${what} has the unknown member "${name}"; there are ${names.join(", ")}`);
  return json as Readonly<Record<string, unknown>>;
}
