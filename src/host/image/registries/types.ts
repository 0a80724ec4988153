// registries.conf as data (containers-registries.conf(5)).
import { ImageError } from "../../../ports/images.js";

export interface Mirror {
  /** `host[:port][/path]` */
  readonly location: string;
  readonly insecure: boolean;
  /** Which references it is asked for. */
  readonly pull: "all" | "digest-only" | "tag-only";
}

export interface RegistryEntry {
  /** `host[:port][/path[:tag|@digest]]`, or `*.domain`. */
  readonly prefix: string;
  /** What stands in the place of the prefix; of `*.domain` it may be absent: the name stays. */
  readonly location?: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
}

export type ShortNameMode = "enforcing" | "permissive" | "disabled";

/** What one file says; absent: it says nothing of it. */
export interface RegistriesFile {
  readonly search?: readonly string[];
  readonly mode?: ShortNameMode;
  readonly helpers?: readonly string[];
  readonly entries: readonly RegistryEntry[];
  /** Short name -> full name without tag; an empty one takes an earlier one away. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** All files together. */
export interface Registries {
  readonly search: readonly string[];
  /** Where no file says: undefined. */
  readonly mode: ShortNameMode | undefined;
  readonly helpers: readonly string[] | undefined;
  readonly entries: readonly RegistryEntry[];
  readonly aliases: ReadonlyMap<string, string>;
}

export const NO_REGISTRIES: Registries = { search: [], mode: undefined, helpers: undefined, entries: [], aliases: new Map() };

/** The error for a setting that is wrong; `where` is `FILE` or `FILE:LINE:COLUMN`. */
export function configError(where: string, what: string, hint?: string): ImageError {
  return new ImageError("image-config", where, `${where}: ${what}`, hint);
}
