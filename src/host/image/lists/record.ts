// A manifest list on disk: <data>/storage/lists/HEX.json, HEX the sha256 of its name; replaced as a whole.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ListEntry, ManifestList } from "../../../ports/image-lists.js";
import { isObject, type Json, parseJson, strings } from "../json.js";
import { INDEX_TYPES } from "../manifest.js";
import { isDigest } from "../reference.js";
import { replaceFile } from "../replace.js";
import { type ImageRecord, listIfThere, recordName, removeIfThere, type Store } from "../store.js";

/** What of the store an entry needs, whatever becomes of the name it was added by. */
export interface Stored {
  readonly configDigest: string;
  /** diff_ids, bottom first. */
  readonly layers: readonly string[];
}

export interface RecordedEntry extends ListEntry {
  /** Of an entry of the store. */
  readonly stored?: Stored;
}

export interface ListRecord extends ManifestList {
  readonly version: 1;
  readonly entries: readonly RecordedEntry[];
}

const folderOf = (store: Store) => join(store.root, "lists");

/** undefined where there is none, or it is damaged. */
export async function readList(store: Store, reference: string): Promise<ListRecord | undefined> {
  const record = parseList(await readFile(join(folderOf(store), recordName(reference))).catch(() => undefined));
  return record?.reference === reference ? record : undefined;
}

/** Every list, and the names of files that are none. */
export async function readLists(store: Store): Promise<{ readonly lists: readonly ListRecord[]; readonly damaged: readonly string[] }> {
  const lists: ListRecord[] = [];
  const damaged: string[] = [];
  for (const name of await listIfThere(folderOf(store))) {
    if (!name.endsWith(".json")) continue;
    const record = parseList(await readFile(join(folderOf(store), name)).catch(() => undefined));
    if (record !== undefined && recordName(record.reference) === name) lists.push(record);
    else damaged.push(name);
  }
  return { lists, damaged };
}

export async function writeList(store: Store, record: ListRecord): Promise<void> {
  await mkdir(folderOf(store), { recursive: true, mode: 0o700 });
  await replaceFile(join(folderOf(store), recordName(record.reference)), Buffer.from(`${JSON.stringify(record)}\n`), 0o600);
}

export function removeList(store: Store, reference: string): Promise<boolean> {
  return removeIfThere(join(folderOf(store), recordName(reference)));
}

/** Images of the store that lists hold, as records under their lists' names: what prune and fsck look at. */
export async function listedImages(store: Store): Promise<ImageRecord[]> {
  const { lists } = await readLists(store);
  return lists.flatMap(({ reference, entries }) => entries.flatMap((entry) => recordOf(entry, reference) ?? []));
}

/** An entry of the store as the record it was made of; of another undefined. */
export function recordOf({ stored, digest }: RecordedEntry, reference: string): ImageRecord | undefined {
  if (stored === undefined) return undefined;
  const config = { entrypoint: [], cmd: [], env: [], user: "", workingDir: "", stopSignal: "" };
  return { version: 1, named: digest, configDigest: stored.configDigest, facts: { reference, digest, layers: stored.layers, config } };
}

/** The index that a list is: OCI's, or docker's where all its images are and nothing needs OCI's. */
export function indexOf({ annotations, entries }: Pick<ManifestList, "annotations" | "entries">): { bytes: Uint8Array; type: string } {
  const noted = Object.keys(annotations).length > 0 || entries.some((e) => Object.keys(e.annotations).length > 0);
  const docker = entries.length > 0 && !noted && entries.every((e) => e.mediaType.startsWith("application/vnd.docker."));
  const type = INDEX_TYPES[docker ? 1 : 0] as string;
  const manifests = entries.map(({ mediaType, digest, size, platform, annotations: notes }) => ({
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform: platformJson(platform) }),
    ...(Object.keys(notes).length === 0 ? {} : { annotations: notes }),
  }));
  const top = { schemaVersion: 2, mediaType: type, manifests };
  const bytes = Buffer.from(JSON.stringify(Object.keys(annotations).length === 0 ? top : { ...top, annotations }));
  return { bytes, type };
}

function platformJson(platform: NonNullable<ListEntry["platform"]>): Json {
  const { os, architecture, variant, osVersion, osFeatures, features } = platform;
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    ...(osFeatures === undefined ? {} : { "os.features": [...osFeatures] }),
    ...(variant === undefined ? {} : { variant }),
    ...(features === undefined ? {} : { features: [...features] }),
  };
}

/** The platform of an index's entry, or of an image's configuration; undefined where neither name is there. */
export function platformFrom(json: Json | undefined): ListEntry["platform"] {
  if (!isObject(json) || typeof json["os"] !== "string" || typeof json["architecture"] !== "string") return undefined;
  const text = (name: string, key: string) => (typeof json[name] === "string" && json[name] !== "" ? { [key]: json[name] } : {});
  const texts = (name: string, key: string) => ((strings(json[name])?.length ?? 0) > 0 ? { [key]: strings(json[name]) } : {});
  return {
    os: json["os"],
    architecture: json["architecture"],
    ...text("variant", "variant"),
    ...text("os.version", "osVersion"),
    ...texts("os.features", "osFeatures"),
    ...texts("features", "features"),
  };
}

/** A file's bytes, checked; undefined for what is none. */
function parseList(bytes: Uint8Array | undefined): ListRecord | undefined {
  const json = bytes === undefined ? undefined : parseJson(bytes);
  if (!isObject(json) || json["version"] !== 1 || typeof json["reference"] !== "string" || !isObject(json["annotations"])) return undefined;
  const { entries } = json;
  if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined;
  // Our own file, written by writeList: the rest has the shape it was written in.
  return json as unknown as ListRecord;
}

function isEntry(json: Json): boolean {
  if (!isObject(json) || typeof json["digest"] !== "string" || !isDigest(json["digest"]) || typeof json["source"] !== "string")
    return false;
  if (!Number.isSafeInteger(json["size"]) || typeof json["mediaType"] !== "string" || !isObject(json["annotations"])) return false;
  const { stored } = json;
  if (stored === undefined) return true;
  if (!isObject(stored) || typeof stored["configDigest"] !== "string" || !isDigest(stored["configDigest"])) return false;
  return strings(stored["layers"])?.every(isDigest) === true;
}
