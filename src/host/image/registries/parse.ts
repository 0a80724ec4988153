// One registries.conf: from its table to entries, with every setting honoured or refused (containers-registries.conf(5)).
import { Fields } from "./fields.js";
import { isTable, type TomlTable } from "./toml.js";
import { configError, type Mirror, type RegistriesFile, type RegistryEntry, type ShortNameMode } from "./types.js";

const TOP = [
  "unqualified-search-registries",
  "short-name-mode",
  "credential-helpers",
  "registry",
  "aliases",
  // For mounting layers from a network store, which podgen does not do: without effect.
  "additional-layer-store-auth-helper",
];
const REGISTRY = ["prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only"];
const MIRROR = ["location", "insecure", "pull-from-mirror"];
const MODES: readonly ShortNameMode[] = ["enforcing", "permissive", "disabled"];
const PULLS = ["all", "digest-only", "tag-only"] as const;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;

/** Throws ImageError image-config naming the file. `dropIn`: a version-1 file cannot be one, but is refused alike. */
export function parseRegistries(table: TomlTable, file: string): RegistriesFile {
  if (table["registries"] !== undefined) throw versionOne(table["registries"], file);
  const top = new Fields(table, file, "", TOP);
  const search = top.texts("unqualified-search-registries");
  for (const host of search ?? []) {
    if (!HOST.test(trimmed(host))) top.fail(`unqualified-search-registries: ${JSON.stringify(host)} is no host[:port]`);
  }
  const mode = top.choice("short-name-mode", MODES);
  const helpers = top.texts("credential-helpers");
  const entries = top.tables("registry").map((entry, i) => readEntry(entry, file, `[[registry]] number ${i + 1}`));
  for (const [i, entry] of entries.entries()) {
    const twin = entries.slice(0, i).find((e) => e.prefix === entry.prefix);
    if (twin !== undefined) top.fail(`two [[registry]] tables have the prefix ${JSON.stringify(entry.prefix)}`, "Make them one.");
  }
  return {
    ...(search === undefined ? {} : { search: search.map(trimmed) }),
    ...(mode === undefined ? {} : { mode }),
    ...(helpers === undefined ? {} : { helpers }),
    entries,
    aliases: readAliases(top.table("aliases"), file),
  };
}

/** The table [aliases] of a registries.conf, or of the file where choices of short names are kept. */
export function readAliases(table: TomlTable, file: string): Map<string, string> {
  return new Map(
    Object.entries(table).map(([name, value]) => {
      const at = `[aliases] ${JSON.stringify(name)}`;
      if (typeof value !== "string") throw configError(file, `${at}: is not a string`);
      const first = name.split("/")[0] ?? "";
      const hosted = name.includes("/") && (/[.:]/.test(first) || first === "localhost");
      if (!NAME.test(name) || hosted) throw configError(file, `${at}: is no short name without tag or digest`);
      const slash = value.indexOf("/");
      const host = value.slice(0, Math.max(0, slash));
      const full = slash > 0 && HOST.test(host) && (/[.:]/.test(host) || host === "localhost") && NAME.test(value.slice(slash + 1));
      if (value !== "" && !full) throw configError(file, `${at}: ${JSON.stringify(value)} is no full name without tag or digest`);
      return [name, value] as const;
    }),
  );
}

function readEntry(table: TomlTable, file: string, at: string): RegistryEntry {
  const fields = new Fields(table, file, at, REGISTRY);
  const location = place(fields, "location");
  const prefix = place(fields, "prefix") ?? location;
  if (prefix === undefined) return fields.fail("has neither a prefix nor a location");
  const wild = prefix.startsWith("*.");
  if (location?.startsWith("*.") || (wild && (prefix.slice(2).includes("*") || /[/@]/.test(prefix))))
    fields.fail("a wildcard is *.domain as prefix, with a location of its own or none");
  if (!wild && location === undefined) fields.fail(`the prefix ${JSON.stringify(prefix)} has no location`, "Only *.domain may do without.");
  const byDigest = fields.flag("mirror-by-digest-only");
  return {
    prefix,
    ...(location === undefined ? {} : { location }),
    insecure: fields.flag("insecure"),
    blocked: fields.flag("blocked"),
    mirrors: fields.tables("mirror").map((mirror, i) => readMirror(mirror, file, `${at}, mirror ${i + 1}`, byDigest)),
  };
}

function readMirror(table: TomlTable, file: string, at: string, byDigest: boolean): Mirror {
  const fields = new Fields(table, file, at, MIRROR);
  const location = place(fields, "location");
  if (location === undefined || location.startsWith("*")) return fields.fail("needs a location");
  const pull = fields.choice("pull-from-mirror", PULLS);
  if (byDigest && pull !== undefined) fields.fail("pull-from-mirror and the registry's mirror-by-digest-only exclude each other");
  return { location, insecure: fields.flag("insecure"), pull: pull ?? (byDigest ? "digest-only" : "all") };
}

/** A prefix or location; an empty one counts as absent. */
function place(fields: Fields, key: string): string | undefined {
  const text = fields.text(key);
  if (text === undefined || text === "") return undefined;
  if (/^[a-z]+:\/\//.test(text))
    fields.fail(
      `${key} ${JSON.stringify(text)} has a scheme`,
      `Write ${text.replace(/^[a-z]+:\/\//, "")}; insecure = true allows plain HTTP.`,
    );
  const bare = trimmed(text);
  if (!HOST.test((bare.startsWith("*.") ? bare.slice(2) : bare).split("/")[0] ?? ""))
    fields.fail(`${key} ${JSON.stringify(text)} does not begin with a host`);
  return bare;
}

function trimmed(text: string): string {
  return text.replace(/\/+$/, "");
}

/** The file that podman has not taken since version 5 either; `registries` is a list, or tables search, insecure and block of lists. */
function versionOne(registries: TomlTable[string], file: string): Error {
  const list = (value: unknown): string[] => {
    const inner = isTable(value as TomlTable) ? (value as TomlTable)["registries"] : value;
    return Array.isArray(inner) ? inner.filter((v): v is string => typeof v === "string") : [];
  };
  const tables = isTable(registries) ? registries : { search: registries };
  const search = list(tables["search"]);
  const lines = search.length === 0 ? [] : [`unqualified-search-registries = [${search.map((s) => JSON.stringify(s)).join(", ")}]`];
  const [insecure, blocked] = [list(tables["insecure"]), list(tables["block"])];
  for (const location of new Set([...insecure, ...blocked])) {
    lines.push("[[registry]]", `location = ${JSON.stringify(location)}`);
    if (insecure.includes(location)) lines.push("insecure = true");
    if (blocked.includes(location)) lines.push("blocked = true");
  }
  return configError(
    file,
    "is in version 1 of the format, which is no longer read",
    `Write instead:\n${lines.map((l) => `    ${l}`).join("\n")}`,
  );
}
