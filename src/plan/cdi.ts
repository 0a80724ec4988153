// Devices that containers name: what the Container Device Interface says of them goes into the plan, or it is said why it cannot.
import type { CdiFile } from "../base/cdi.js";
import { suggest } from "../base/suggest.js";
import type { Container } from "../model/types.js";
import { type CdiDevice, type CdiEdits, readCdiSpec } from "./cdi-spec.js";
import { type PodContext, refuse, warn } from "./context.js";
import { cleanPath, parentsFirst } from "./paths.js";
import type { PlannedContainer, PlannedMount } from "./types.js";

/** Every device of all files, once per apply. */
export interface CdiRegistry {
  readonly devices: ReadonlyMap<string, readonly CdiDevice[]>;
  /** `path: why`, of files that cannot be used. */
  readonly broken: readonly string[];
}

/** Of several files the folder with the highest priority wins; what two files of one say stays beside each other, for the error. */
export function makeRegistry(files: readonly CdiFile[]): CdiRegistry {
  const devices = new Map<string, CdiDevice[]>();
  const broken: string[] = [];
  for (const file of files) {
    const found = readCdiSpec(file);
    if (typeof found === "string") {
      broken.push(`${file.path}: ${found}`);
      continue;
    }
    for (const device of found) {
      const others = devices.get(device.name) ?? [];
      const above = others.filter((o) => o.file.priority >= file.priority);
      devices.set(device.name, above.some((o) => o.file.priority > file.priority) ? others : [...above, device]);
    }
  }
  return { devices, broken };
}

type Edited = Pick<PlannedContainer, "env" | "mounts" | "groups">;

/** The container with its devices. What cannot be had is in the context's diagnostics. */
export function withDevices<T extends Edited>(context: PodContext, spec: Container, planned: T): T {
  if (spec.devices === undefined) return planned;
  const edits: CdiEdits[] = [];
  const files = new Set<CdiFile>();
  for (const device of spec.devices) {
    if (device.kind === "path") {
      edits.push(node(device.path, device.destination));
      continue;
    }
    const found = choose(context, device.name, device.at);
    if (found === undefined) continue;
    const own = files.has(found.file) ? [found.edits] : [found.common, found.edits];
    files.add(found.file);
    for (const edit of own) {
      for (const what of edit.cannot)
        refuse(context, "refused-device", device.at, `device ${device.name}: ${found.file.path} asks for ${what}`, CANNOT);
      for (const what of edit.without)
        warn(context, "no-effect", device.at, `device ${device.name}: ${found.file.path}: no effect have ${what}`);
      edits.push(edit);
    }
  }
  return { ...planned, env: replaced(planned.env, edits), mounts: mounted(planned.mounts, edits), ...grouped(planned, edits) };
}

const CANNOT = "podgen takes devices that need nodes, mounts, variables and groups alone";

function choose(context: PodContext, name: string, at: Parameters<typeof refuse>[2]): CdiDevice | undefined {
  const { devices, broken } = context.cdi;
  const [found, other] = devices.get(name) ?? [];
  if (other !== undefined) {
    refuse(
      context,
      "device-conflict",
      at,
      `device ${name} is declared by ${found?.file.path} and by ${other.file.path}`,
      "remove one of them",
    );
    return undefined;
  }
  if (found !== undefined) return found;
  const near = suggest(name, [...devices.keys()]);
  const known = [...devices.keys()].sort();
  const hint =
    near !== undefined
      ? `did you mean ${near.word}?`
      : known.length === 0
        ? "no file of CDI declares any"
        : `there are ${known.slice(0, 5).join(", ")}`;
  const why = broken.length === 0 ? "" : `; not readable: ${broken.slice(0, 3).join("; ")}`;
  refuse(context, "unknown-device", at, `no file of the Container Device Interface declares the device ${name}${why}`, hint);
  return undefined;
}

/** podman's way: the node alone, or a folder with all that is in it. */
function node(path: string, destination: string): CdiEdits {
  const mount: PlannedMount = {
    destination: cleanPath(destination),
    type: "bind",
    source: cleanPath(path),
    options: ["rbind", "rprivate", "rw"],
  };
  return { env: [], mounts: [mount], gids: [], cannot: [], without: [] };
}

/** A variable of the device's takes the place of one of the same name. */
function replaced(env: readonly string[], edits: readonly CdiEdits[]): readonly string[] {
  const nameOf = (line: string): string => line.slice(0, line.indexOf("="));
  const all = new Map(env.map((line) => [nameOf(line), line]));
  for (const line of edits.flatMap((e) => e.env)) all.set(nameOf(line), line);
  return [...all.values()];
}

/** So does a mount at the same place. */
function mounted(mounts: readonly PlannedMount[], edits: readonly CdiEdits[]): readonly PlannedMount[] {
  const all = new Map(mounts.map((mount) => [mount.destination, mount]));
  for (const mount of edits.flatMap((e) => e.mounts))
    all.set(cleanPath(mount.destination), { ...mount, destination: cleanPath(mount.destination) });
  return parentsFirst([...all.values()]);
}

function grouped({ groups = [] }: Edited, edits: readonly CdiEdits[]): Pick<Edited, "groups"> {
  const all = [...new Set([...groups, ...edits.flatMap((e) => e.gids)])];
  return all.length === 0 ? {} : { groups: all };
}
