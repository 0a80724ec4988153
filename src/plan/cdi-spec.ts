// A file of the Container Device Interface as data with types; what podgen cannot do is kept by its name, for whoever asks for the device.
import { type CdiFile, isQualifiedName } from "../base/cdi.js";
import type { PlannedMount } from "./types.js";

/** What a device changes of its container. */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly mounts: readonly PlannedMount[];
  readonly gids: readonly number[];
  /** What it asks for besides, as clauses: "a hook, createContainer: /usr/bin/x". */
  readonly cannot: readonly string[];
  /** What has no effect here, likewise. */
  readonly without: readonly string[];
}

export interface CdiDevice {
  readonly name: string;
  readonly file: CdiFile;
  /** The file's own, which go before the device's. */
  readonly common: CdiEdits;
  readonly edits: CdiEdits;
}

/** Releases of the specification whose fields are known here. */
const VERSION = /^(0\.[3-9]|1\.[01])\.0$/;

type Data = Readonly<Record<string, unknown>>;

/** A finding about a file; thrown and caught in this file alone. */
class Bad extends Error {}

/** All devices of a file; a text says what is wrong with it. */
export function readCdiSpec(file: CdiFile): readonly CdiDevice[] | string {
  if (file.problem !== undefined) return file.problem;
  try {
    const spec = map(file.content, "the document");
    const version = text(spec["cdiVersion"], "cdiVersion");
    if (!VERSION.test(version)) throw new Bad(`cdiVersion ${JSON.stringify(version)}: known are 0.3.0 to 1.1.0`);
    only(spec, "cdiVersion kind annotations devices containerEdits", "the document");
    const kind = text(spec["kind"], "kind");
    const common = edits(spec["containerEdits"], "containerEdits");
    return list(spec["devices"], "devices").map((entry, i): CdiDevice => {
      const at = `devices[${i}]`;
      const device = map(entry, at);
      only(device, "name annotations containerEdits", at);
      const name = `${kind}=${text(device["name"], `${at}.name`)}`;
      if (!isQualifiedName(name)) throw new Bad(`${at}: ${JSON.stringify(name)} is no name of a device`);
      return { name, file, common, edits: edits(device["containerEdits"], `${at}.containerEdits`) };
    });
  } catch (error) {
    if (error instanceof Bad) return error.message;
    throw error;
  }
}

function edits(value: unknown, at: string): CdiEdits {
  const given = value === undefined || value === null ? {} : map(value, at);
  only(given, "env deviceNodes netDevices hooks mounts intelRdt additionalGids", at);
  const nodes = list(given["deviceNodes"], `${at}.deviceNodes`).map((node, i) =>
    deviceNode(map(node, `${at}.deviceNodes[${i}]`), `${at}.deviceNodes[${i}]`),
  );
  const mounts = list(given["mounts"], `${at}.mounts`).map((mount, i) => mountOf(map(mount, `${at}.mounts[${i}]`), `${at}.mounts[${i}]`));
  const hooks = list(given["hooks"], `${at}.hooks`).map((hook, i) => {
    const { hookName, path } = map(hook, `${at}.hooks[${i}]`);
    return `a hook, ${text(hookName, `${at}.hooks[${i}].hookName`)}: ${text(path, `${at}.hooks[${i}].path`)}`;
  });
  return {
    env: list(given["env"], `${at}.env`).map((line, i) => {
      const word = text(line, `${at}.env[${i}]`);
      if (word.indexOf("=") < 1) throw new Bad(`${at}.env[${i}]: expected NAME=VALUE`);
      return word;
    }),
    mounts: [...nodes.map((n) => n.mount), ...mounts],
    gids: list(given["additionalGids"], `${at}.additionalGids`)
      .map((gid, i) => number(gid, `${at}.additionalGids[${i}]`))
      .filter((gid) => gid > 0),
    cannot: [
      ...hooks,
      ...list(given["netDevices"], `${at}.netDevices`).map(() => "a network device"),
      ...(given["intelRdt"] === undefined || given["intelRdt"] === null ? [] : ["intelRdt"]),
    ],
    without: nodes.flatMap((n) => n.without),
  };
}

/** Rootless nobody makes device nodes: the host's own is bound, with its owner and its rights. */
function deviceNode(node: Data, at: string): { readonly mount: PlannedMount; readonly without: readonly string[] } {
  only(node, "path hostPath type major minor fileMode permissions uid gid", at);
  const destination = path(node["path"], `${at}.path`);
  const source = node["hostPath"] === undefined ? destination : path(node["hostPath"], `${at}.hostPath`);
  const type = node["type"] === undefined ? "" : text(node["type"], `${at}.type`);
  if (!["", "b", "c", "u", "p"].includes(type)) throw new Bad(`${at}.type: ${JSON.stringify(type)} is none of b, c, u, p`);
  const permissions = node["permissions"] === undefined ? "rwm" : text(node["permissions"], `${at}.permissions`);
  if (!/^[rwm]+$/.test(permissions)) throw new Bad(`${at}.permissions: ${JSON.stringify(permissions)} has others than r, w and m`);
  const words = ["fileMode", "uid", "gid"].filter((key) => node[key] !== undefined && node[key] !== null);
  const check = type === "b" ? ["x-podgen.type=BlockDevice"] : type === "c" || type === "u" ? ["x-podgen.type=CharDevice"] : [];
  return {
    mount: { destination, type: "bind", source, options: ["rbind", "rprivate", "rw", ...check] },
    without: [
      ...(words.length === 0 ? [] : [`${words.join(", ")} of ${destination}: the host's are its`]),
      ...(permissions.includes("r") && permissions.includes("w")
        ? []
        : [`permissions of ${destination}: who may open it on the host may here`]),
    ],
  };
}

/** What podrt knows of mount(8)'s words (native/lib/mountopt.c), and that others than it may not say. */
const OPTION =
  /^(?:ro|rw|no(?:suid|dev|exec|atime|diratime|symfollow)|suid|dev|exec|relatime|strictatime|r?bind|r?private|r?slave|rro|rno(?:suid|dev|exec))$/;

function mountOf(mount: Data, at: string): PlannedMount {
  only(mount, "hostPath containerPath options type", at);
  const type = mount["type"] === undefined || mount["type"] === "" ? "bind" : text(mount["type"], `${at}.type`);
  const destination = path(mount["containerPath"], `${at}.containerPath`);
  const options = list(mount["options"], `${at}.options`).map((option, i) => text(option, `${at}.options[${i}]`));
  if (type !== "bind" && type !== "none")
    throw new Bad(`${at}.type: ${JSON.stringify(type)}: podgen mounts files and folders of the host alone`);
  const unknown = options.find((option) => !OPTION.test(option));
  if (unknown !== undefined) throw new Bad(`${at}.options: ${JSON.stringify(unknown)} is not known`);
  const whole = options.includes("bind") || options.includes("rbind") ? [] : ["rbind"];
  return { destination, type: "bind", source: path(mount["hostPath"], `${at}.hostPath`), options: [...whole, ...options] };
}

// --- values of unknown type -------------------------------------------------------------------------------------------

function map(value: unknown, at: string): Data {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Bad(`${at}: expected an object`);
  return value as Data;
}

function list(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Bad(`${at}: expected a list`);
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string" || /[\0\n\r]/.test(value)) throw new Bad(`${at}: expected a text of one line`);
  return value;
}

function number(value: unknown, at: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 4294967294) throw new Bad(`${at}: expected a number`);
  return value;
}

function path(value: unknown, at: string): string {
  const found = text(value, at);
  if (!found.startsWith("/") || found.split("/").includes("..")) throw new Bad(`${at}: expected an absolute path`);
  return found;
}

/** What is not known might matter. */
function only(value: Data, names: string, at: string): void {
  const known = names.split(" ");
  const other = Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) throw new Bad(`${at}: ${JSON.stringify(other)} is not known`);
}
