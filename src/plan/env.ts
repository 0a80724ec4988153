// A container's environment: the image's, then envFrom, then env, with secrets as references to their store.
import type { ImageConfig } from "../base/facts.js";
import { recordOf } from "../base/record.js";
import { hostnameOf } from "../model/kube/hostname.js";
import type { Container, EnvFrom, EnvVar } from "../model/types.js";
import { type PodContext, refuse, warn } from "./context.js";
import { downwardText } from "./downward.js";
import { expand } from "./expand.js";
import { checkWord, lengthOf } from "./limits.js";
import { findData, storeSecret } from "./objects.js";
import { cleanPath, emptyDirFolder } from "./paths.js";

/** Where podrt finds a variable's value when the container starts: a line of a file below a volume's folder. */
export interface FileEnv {
  readonly name: string;
  readonly folder: string;
  readonly path: string;
  readonly key: string;
  readonly optional: boolean;
}

/** A variable's value: known text, the path of the file in the secret store that holds it and its length in bytes, or a file of a volume. */
type Value = { readonly text: string } | { readonly secret: string; readonly length: number } | { readonly file: Omit<FileEnv, "name"> };

/** Variables that the spec declares, as `$(NAME)` sees them: the image's own are not among them (as in Kubernetes). */
export type Declared = ReadonlyMap<string, Value>;

export interface PlannedEnv {
  readonly env: readonly string[];
  readonly secretEnv: Readonly<Record<string, string>>;
  readonly fileEnv: readonly FileEnv[];
  readonly declared: Declared;
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What Kubernetes takes from envFrom (IsEnvVarName): no digit in front. */
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/** Plans a container's environment (`map`: digest of the pod's own ids). What cannot be found or said is added to the context's diagnostics. */
export function planEnv(context: PodContext, container: Container, image: ImageConfig, map?: string): PlannedEnv {
  const declared = declare(context, container, map);
  const all = new Map<string, Value>([["PATH", { text: DEFAULT_PATH }]]);
  all.set("HOSTNAME", { text: hostnameOf(context.pod) });
  if (container.tty) all.set("TERM", { text: "xterm" });
  for (const line of image.env) {
    const cut = line.indexOf("=");
    if (cut > 0) all.set(line.slice(0, cut), { text: line.slice(cut + 1) });
  }
  for (const [name, value] of declared) all.set(name, value);
  const env: string[] = [];
  const secretEnv = recordOf<string>();
  const fileEnv: FileEnv[] = [];
  for (const [name, value] of all) {
    if ("file" in value) {
      fileEnv.push({ name, ...value.file });
      continue;
    }
    const length = lengthOf(`${name}=`) + ("secret" in value ? value.length : lengthOf(value.text));
    checkWord(context, `container "${container.name}": variable ${name}`, length, container.at);
    if ("secret" in value) secretEnv[name] = value.secret;
    else env.push(`${name}=${value.text}`);
  }
  return { env, secretEnv, fileEnv, declared };
}

/** envFrom first and in order, then env in order; each variable of env sees those before it. */
function declare(context: PodContext, container: Container, map: string | undefined): Declared {
  const declared = new Map<string, Value>();
  for (const from of container.envFrom) for (const [name, value] of importAll(context, from)) declared.set(name, value);
  for (const variable of container.env) {
    const value =
      variable.source.kind === "fileKey"
        ? fileValue(context, variable.source, variable.at, map)
        : sourcedValue(context, container, { ...variable, source: variable.source }, declared);
    if (value !== undefined) declared.set(variable.name, value);
  }
  return declared;
}

/** Every key of an object as a variable. Keys that make no variable are left out with a warning, as in Kubernetes. */
function importAll(context: PodContext, from: EnvFrom): [string, Value][] {
  const data = findData(context, from, from.at);
  const skipped: string[] = [];
  const result: [string, Value][] = [];
  for (const key of [...(data?.keys() ?? [])].sort()) {
    const bytes = data?.get(key);
    const name = from.prefix + key;
    const value = bytes === undefined || !ENV_NAME.test(name) ? undefined : asValue(context, from.kind, from.name, key, bytes);
    if (value === undefined) skipped.push(key);
    else result.push([name, value]);
  }
  if (skipped.length > 0) {
    const message = `keys of ${from.kind} "${from.name}" that make no environment variable are left out: ${skipped.join(", ")}`;
    warn(context, "invalid-env-names", from.at, message, "name such keys under env, with a valid name and a text value");
  }
  return result;
}

type FileSource = Extract<EnvVar["source"], { kind: "fileKey" }>;

/** Of an emptyDir on disk alone, as in Kubernetes; one in memory podrt sees too late. */
function fileValue(context: PodContext, source: FileSource, at: EnvVar["at"], map: string | undefined): Value | undefined {
  const { pod, facts } = context;
  const volume = pod.volumes.find((v) => v.name === source.volume);
  const what = `volume "${source.volume}"`;
  if (volume === undefined) refuse(context, "unknown-volume", at, `there is no ${what} in the pod`);
  else if (volume.source.kind !== "emptyDir")
    refuse(context, "bad-volume", at, `${what} is no emptyDir`, "fileKeyRef reads of an emptyDir");
  else if (volume.source.medium === "Memory")
    refuse(context, "bad-volume", at, `${what} is in memory, and fileKeyRef is read of a folder on disk`, "leave its medium out");
  else {
    const { path, key, optional } = source;
    return { file: { folder: emptyDirFolder(facts.paths, pod.name, volume.name, map), path: cleanPath(path).slice(1), key, optional } };
  }
  return undefined;
}

function sourcedValue(
  context: PodContext,
  container: Container,
  variable: EnvVar & { readonly source: Exclude<EnvVar["source"], FileSource> },
  declared: Declared,
): Value | undefined {
  const { source, at } = variable;
  if (source.kind === "value") {
    const where = `env "${variable.name}" of container "${container.name}"`;
    return { text: expandWith(context, source.value, declared, where, at) };
  }
  if (source.kind === "field" || source.kind === "resource") return { text: downwardText(context, source, container, at) };
  const kind = source.kind === "configMapKey" ? "configMap" : "secret";
  const data = findData(context, { kind, name: source.name, optional: source.optional }, at);
  if (data === undefined) return undefined;
  const bytes = data.get(source.key);
  if (bytes === undefined) {
    if (!source.optional) refuse(context, "missing-key", at, `${kind} "${source.name}" has no key "${source.key}"`, keysHint(data));
    return undefined;
  }
  const value = asValue(context, kind, source.name, source.key, bytes);
  if (value === undefined)
    refuse(context, "binary-env", at, `key "${source.key}" of ${kind} "${source.name}" is no text and cannot be an environment variable`);
  return value;
}

/** Keys are names, not values: they may be shown, also a Secret's. */
export function keysHint(data: ReadonlyMap<string, Uint8Array>): string {
  return data.size === 0 ? "it is empty" : `its keys: ${[...data.keys()].sort().join(", ")}`;
}

/** Text, or a reference for a secret; undefined when the bytes cannot be a variable's value. */
function asValue(context: PodContext, kind: "configMap" | "secret", name: string, key: string, bytes: Uint8Array): Value | undefined {
  if (bytes.includes(0)) return undefined;
  if (kind === "secret") return { secret: storeSecret(context, name, key, bytes), length: bytes.length };
  try {
    return { text: STRICT_UTF8.decode(bytes) };
  } catch {
    return undefined;
  }
}

/**
 * Expands `$(NAME)` over the declared variables. One that would pull a secret's value in is refused: the result would
 * have to be written into the bundle, and no secret leaves its store.
 */
export function expandWith(context: PodContext, text: string, declared: Declared, where: string, at: EnvVar["at"]): string {
  const secrets = new Set<string>();
  const files = new Set<string>();
  const { text: result } = expand(text, (name) => {
    const value = declared.get(name);
    if (value === undefined) return undefined;
    if ("text" in value) return value.text;
    ("file" in value ? files : secrets).add(name);
    return "";
  });
  for (const name of files)
    refuse(
      context,
      "file-in-expansion",
      at,
      `${where}: the value of $(${name}) is known only when the container starts`,
      `let the program read ${name} itself`,
    );
  for (const name of secrets)
    refuse(
      context,
      "secret-in-expansion",
      at,
      `${where}: $(${name}) would write the value of a Secret into a file`,
      `let the program read the variable ${name} itself (in a shell: $${name}), put the whole text into the Secret, or write $$(${name}) for the literal`,
    );
  return result;
}
