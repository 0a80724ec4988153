// Which parts of a bundle are others now, in words: what a restart is for. Pure.

/** The parts of a config.json that people write about in specs, by the path in it; the first that fits names it. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^process\.args/, "command"],
  [/^process\.cwd/, "working directory"],
  [/^process\.terminal/, "terminal"],
  [/^process\.rlimits/, "limits of processes"],
  [/^(process\.(user|capabilities|noNewPrivileges|apparmorProfile|selinuxLabel)|root\.readonly)/, "security context"],
  [/^(linux\.(maskedPaths|readonlyPaths|sysctl)|annotations\.io\.podgen\.(user|groups|privileged|seccomp.*)$)/, "security context"],
  [/^linux\.namespaces/, "namespaces"],
  [/^linux\.(resources|devices)/, "resources"],
  [/^annotations\.io\.podgen\.rootfs/, "image layers"],
  [/^annotations\.io\.podgen\.(files|live-files)/, "files of ConfigMaps and Secrets"],
  [/^annotations\.io\.podgen\.(file-env)/, "variables from files"],
  [/^annotations\.io\.podgen\.(post-start|pre-stop)/, "hooks"],
  [/^annotations\.io\.podgen\.(hosts|resolv-conf|names|addresses|uplink)/, "network"],
  [/^annotations\.io\.podgen\.userns/, "user namespace"],
  [/^annotations\.io\.podgen\.memory-volumes/, "volumes in memory"],
];

/** What follows from others, or is nobody's matter. */
const SILENT = /^annotations\.io\.podgen\.(digest|source|object|log-fields|live|gated|backoff|reload-signal)/;
/** More than so many are as good as all. */
const MOST = 4;

/** `env TAG, command`; empty where nothing that has a name is another, or one of the two is no bundle. Values are never in it: they may be secret. */
export function changedParts(before: Uint8Array | undefined, after: Uint8Array | undefined): string {
  const [old, now] = [parse(before), parse(after)];
  if (old === undefined || now === undefined) return "";
  const parts = [...new Set([...variables(old, now), ...mounts(old, now), ...secrets(old, now), ...others(old, now)])];
  return parts.length > MOST ? `${parts.slice(0, MOST).join(", ")} and ${parts.length - MOST} more` : parts.join(", ");
}

type Json = Readonly<Record<string, unknown>>;

function parse(bytes: Uint8Array | undefined): Json | undefined {
  if (bytes === undefined) return undefined;
  try {
    return record(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** Keys whose values differ, sorted. */
function differing(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).sort();
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function variables(old: Json, now: Json): string[] {
  const named = (config: Json): Map<string, string> =>
    new Map(list(record(config["process"])["env"]).map((line) => [String(line).split("=", 1)[0] ?? "", String(line)]));
  return differing(named(old), named(now)).map((name) => `env ${name}`);
}

function mounts(old: Json, now: Json): string[] {
  const placed = (config: Json): Map<string, string> =>
    new Map(list(config["mounts"]).map((mount) => [String(record(mount)["destination"]), JSON.stringify(mount)]));
  return differing(placed(old), placed(now)).map((place) => `mount ${place}`);
}

/** Variables from Secrets: variable -> where its value lies, in a folder that another value has another of. */
function secrets(old: Json, now: Json): string[] {
  const places = (config: Json): Map<string, string> => {
    const text = record(config["annotations"])["io.podgen.secret-env"];
    const value = record(typeof text === "string" ? (JSON.parse(text) as unknown) : {});
    return new Map(Object.entries(value).map(([name, place]) => [name, JSON.stringify(place)]));
  };
  return differing(places(old), places(now)).map((name) => `secret env ${name}`);
}

/** All the rest, by the table. */
function others(old: Json, now: Json): string[] {
  const leaves = (config: Json): Map<string, string> => {
    const found = new Map<string, string>();
    for (const [key, value] of Object.entries(config)) {
      if (key === "mounts") continue;
      if (typeof value !== "object" || value === null || Array.isArray(value)) found.set(key, JSON.stringify(value));
      else for (const [inner, part] of Object.entries(value)) found.set(`${key}.${inner}`, JSON.stringify(part));
    }
    return found;
  };
  const skipped = /^(process\.env|annotations\.io\.podgen\.secret-env)$/;
  const paths = differing(leaves(old), leaves(now)).filter((path) => !SILENT.test(path) && !skipped.test(path));
  return paths.map((path) => PARTS.find(([pattern]) => pattern.test(path))?.[1] ?? path.replace(/^annotations\.io\.podgen\./, ""));
}
