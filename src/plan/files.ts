// configMap and secret volumes: which keys become which files, and where podrt finds their bytes.
import type { Volume, VolumeMount } from "../model/types.js";
import { type PodContext, refuse } from "./context.js";
import { digestOf } from "./digest.js";
import { keysHint } from "./env.js";
import { findData, storeSecret } from "./objects.js";
import { cleanPath, staysBeneath } from "./paths.js";
import type { PlannedFiles } from "./types.js";

export type FileSource = Extract<Volume["source"], { kind: "configMap" | "secret" }>;

/** A file of a volume: its path in the volume, and the key it comes from. */
interface Entry {
  readonly path: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/**
 * Plans the mount of a configMap or secret volume. Both are filled by podrt into a tmpfs of the container at its start:
 * a Secret so that it is on no disk, a ConfigMap so that its files have the modes asked for whatever the user's umask
 * and folders are (podgen's own are 0700, and a process that is not root in the container could not enter them).
 */
export function planFiles(context: PodContext, volume: Volume, source: FileSource, mount: VolumeMount): PlannedFiles | undefined {
  const data = findData(context, source, volume.at);
  if (data === undefined && !source.optional) return undefined;
  const entries = project(context, volume, source, data ?? new Map());
  const chosen = choose(context, mount, entries, data === undefined);
  if (chosen === undefined) return undefined;
  const folder = source.kind === "secret" ? "" : configFolder(context, chosen.entries);
  return {
    destination: cleanPath(mount.mountPath),
    ...(chosen.subPath === undefined ? {} : { subPath: chosen.subPath }),
    readOnly: true,
    items: chosen.entries.map((entry) => ({
      path: entry.path,
      source: source.kind === "secret" ? storeSecret(context, source.name, entry.key, entry.bytes) : storeConfig(context, folder, entry),
      mode: entry.mode,
    })),
  };
}

/** The files of the whole volume, sorted by path: `items`, or every key under its own name. */
function project(context: PodContext, volume: Volume, source: FileSource, data: ReadonlyMap<string, Uint8Array>): Entry[] {
  const items = source.items ?? [...data.keys()].map((key) => ({ key, path: key }));
  const entries: Entry[] = [];
  for (const item of items) {
    const path = item.path
      .split("/")
      .filter((s) => s !== "")
      .join("/"); // prettier-ignore
    const bytes = data.get(item.key);
    const mode = "mode" in item && item.mode !== undefined ? item.mode : source.defaultMode;
    if (!staysBeneath(path) || item.path.startsWith("/"))
      refuse(context, "unsafe-path", volume.at, `volume "${volume.name}": path ${JSON.stringify(item.path)} leaves the volume`);
    else if (bytes !== undefined) entries.push({ path, key: item.key, bytes, mode });
    else if (!source.optional)
      refuse(context, "missing-key", volume.at, `${source.kind} "${source.name}" has no key "${item.key}"`, keysHint(data));
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

interface Chosen {
  readonly entries: readonly Entry[];
  /** The one file to mount, when the mount is of a file. */
  readonly subPath?: string;
}

/** What of the volume a mount shows: all, one file, or what lies below a folder of it. */
function choose(context: PodContext, mount: VolumeMount, entries: readonly Entry[], absent: boolean): Chosen | undefined {
  if (mount.subPath === "") return { entries };
  const wanted = cleanPath(mount.subPath).slice(1);
  const file = entries.find((e) => e.path === wanted);
  if (file !== undefined) return { entries: [file], subPath: file.path };
  const below = entries.filter((e) => e.path.startsWith(`${wanted}/`)).map((e) => ({ ...e, path: e.path.slice(wanted.length + 1) }));
  if (below.length > 0 || absent) return { entries: below };
  const paths = entries.map((e) => e.path).join(", ");
  refuse(context, "missing-key", mount.at, `subPath "${mount.subPath}": volume "${mount.name}" has no such file`, `its files: ${paths}`);
  return undefined;
}

/** A folder named by all the files of a ConfigMap that are mounted together: a change makes new paths, hence a new bundle. */
function configFolder(context: PodContext, all: readonly Entry[]): string {
  const digest = digestOf(...all.flatMap((e) => [e.path, e.bytes])).slice(0, 32);
  return `${context.facts.paths.data}/pods/${context.pod.name}/_config/${digest}`;
}

function storeConfig(context: PodContext, folder: string, entry: Entry): string {
  const path = `${folder}/${entry.path}`;
  context.data.set(path, { path, bytes: entry.bytes, mode: 0o600, secret: false });
  return path;
}
