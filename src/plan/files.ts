// Volumes of files (configMap, secret, downwardAPI, projected): what is in them, and where podrt finds the bytes.
import type { DownwardFile, KeyFiles, Volume, VolumeMount } from "../model/types.js";
import { type PodContext, refuse } from "./context.js";
import { digestOf } from "./digest.js";
import { downwardText } from "./downward.js";
import { keysHint } from "./env.js";
import { findData, storeSecret } from "./objects.js";
import { cleanPath, staysBeneath } from "./paths.js";
import type { PlannedFiles } from "./types.js";

export type FileSource = Extract<Volume["source"], { kind: "configMap" | "secret" | "projected" }>;

/** A file of a volume: its path there, and its bytes. */
interface Entry {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** Of a Secret: which, and its key. Such bytes are in the secret store alone. */
  readonly secret?: { readonly name: string; readonly key: string };
}

/** What a volume's sources give; `absent`: one of them is not there, and need not be. */
interface Files {
  readonly entries: readonly Entry[];
  readonly absent: boolean;
}

/**
 * Plans the mount of a configMap, secret, downwardAPI or projected volume. All are filled by podrt into a tmpfs of the container at its
 * start: a Secret so that it is on no disk, the others so that their files have the modes asked for whatever the user's umask
 * and folders are (podgen's own are 0700, and a process that is not root in the container could not enter them).
 */
export function planFiles(context: PodContext, volume: Volume, source: FileSource, mount: VolumeMount): PlannedFiles | undefined {
  const files =
    source.kind === "projected" ? projectAll(context, volume, source) : projectKeys(context, volume, source, source.defaultMode);
  const chosen = files === undefined ? undefined : choose(context, mount, files.entries, files.absent);
  if (chosen === undefined) return undefined;
  const open = chosen.entries.filter((e) => e.secret === undefined);
  const folder = open.length === 0 ? "" : configFolder(context, open);
  return {
    destination: cleanPath(mount.mountPath),
    ...(chosen.subPath === undefined ? {} : { subPath: chosen.subPath }),
    readOnly: true,
    ...(context.pod.fsGroup === undefined ? {} : { group: context.pod.fsGroup.gid }),
    items: chosen.entries.map((entry) => ({
      path: entry.path,
      source:
        entry.secret === undefined
          ? storeConfig(context, folder, entry)
          : storeSecret(context, entry.secret.name, entry.secret.key, entry.bytes),
      mode: entry.mode,
    })),
  };
}

/** The files of all sources together, sorted by path. Of two with one path the later source's would win: that is refused, as in Kubernetes. */
function projectAll(context: PodContext, volume: Volume, source: Extract<FileSource, { kind: "projected" }>): Files | undefined {
  const parts = source.sources.map((part): Files | undefined =>
    part.kind === "downwardAPI"
      ? { entries: part.items.map((item) => downwardEntry(context, item, source.defaultMode)), absent: false }
      : projectKeys(context, { ...volume, at: part.at }, part, source.defaultMode),
  );
  const whole = parts.flatMap((part) => part ?? []);
  if (whole.length < parts.length) return undefined;
  const entries = whole.flatMap((part) => part.entries).sort(byPath);
  const twice = entries.find((entry, i) => {
    const next = entries[i + 1]?.path;
    return next === entry.path || next?.startsWith(`${entry.path}/`);
  });
  if (twice !== undefined)
    refuse(
      context,
      "duplicate-mount",
      volume.at,
      `volume "${volume.name}": two of its sources have a file ${twice.path}`,
      "choose paths with items",
    );
  return { entries, absent: whole.some((part) => part.absent) };
}

function downwardEntry(context: PodContext, item: DownwardFile, defaultMode: number): Entry {
  const bytes = new TextEncoder().encode(downwardText(context, item.value, undefined, item.at));
  return { path: cleanPath(item.path).slice(1), bytes, mode: item.mode ?? defaultMode };
}

const byPath = (a: Entry, b: Entry): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** The files of a ConfigMap or Secret, sorted by path: `items`, or every key under its own name. */
function projectKeys(context: PodContext, volume: Volume, source: KeyFiles, defaultMode: number): Files | undefined {
  const found = findData(context, source, volume.at);
  if (found === undefined && !source.optional) return undefined;
  const data = found ?? new Map<string, Uint8Array>();
  const items = source.items ?? [...data.keys()].map((key) => ({ key, path: key }));
  const entries: Entry[] = [];
  for (const item of items) {
    const path = item.path
      .split("/")
      .filter((s) => s !== "")
      .join("/"); // prettier-ignore
    const bytes = data.get(item.key);
    const mode = "mode" in item && item.mode !== undefined ? item.mode : defaultMode;
    const secret = source.kind === "secret" ? { secret: { name: source.name, key: item.key } } : {};
    if (!staysBeneath(path) || item.path.startsWith("/"))
      refuse(context, "unsafe-path", volume.at, `volume "${volume.name}": path ${JSON.stringify(item.path)} leaves the volume`);
    else if (bytes !== undefined) entries.push({ path, bytes, mode, ...secret });
    else if (!source.optional)
      refuse(context, "missing-key", volume.at, `${source.kind} "${source.name}" has no key "${item.key}"`, keysHint(data));
  }
  return { entries: entries.sort(byPath), absent: found === undefined };
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
