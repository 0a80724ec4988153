// The store on disk: <data>/storage. What is there is whole; what is not whole has another name.
//   layers/HEX             unpacked layer, named by its diff_id; renamed into place when podrt has verified and synced it;
//                          or a link to where podman has it (in-place.ts), which leads nowhere once podman has removed it
//   layers/.tmp-HEX-…      being unpacked, or left by a killed podgen (the next one removes it); `new` for HEX: a commit's
//   recipes/HEX.gz         how the layer's very tar is made of its folder again (native/lib/recipe.h)
//   recipes/HEX.json       LayerNote: what was seen when it was unpacked; written before the layer gets its name
//   blobs/sha256/HEX       manifests and configurations, for good; layers' blobs where they are kept (layers.ts)
//   blobs/sha256/HEX.partial  compressed layer while it comes from a registry: kept for a resume, removed once unpacked
//   images/HEX.json        reference -> image; HEX is the sha256 of the reference
//   lists/HEX.json         manifest lists, by the sha256 of their names (lists/record.ts)
//   shifted/…               layers with other owners (shift.ts)
//   locks/…                flock files: one per layer in work, `store` against pruning
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { lstat, mkdir, realpath, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ImageFacts } from "../../base/facts.js";
import { isObject, parseJson } from "./json.js";
import { hexOf, isDigest } from "./reference.js";
import { replaceFile } from "./replace.js";

/** `images/HEX.json`; written when all layers are there, so that one read answers a planner. */
export interface ImageRecord {
  readonly version: 1;
  /** Digest the reference named: an index's, or the manifest's own. */
  readonly named: string;
  readonly configDigest: string;
  readonly facts: ImageFacts;
  /** Its layers may be links into podman's store. */
  readonly origin?: "containers-storage";
}

/** What is remembered of a layer beside its folder. Layers of before this was remembered have none. */
export interface LayerNote {
  readonly version: 1;
  /** Bytes of its tar. */
  readonly size: number;
  /** Digest of its tree, and how many things are in it (native/lib/treesum.h). */
  readonly tree: string;
  readonly things: number;
  /** True when there is a recipe. */
  readonly recipe: boolean;
}

export class Store {
  readonly root: string;

  /** `data` is `$XDG_DATA_HOME/podgen`. Nothing is made until something is written. */
  constructor(data: string) {
    this.root = join(data, "storage");
  }

  layer(diffId: string): string {
    return join(this.root, "layers", hexOf(diffId));
  }

  blob(digest: string): string {
    return join(this.root, "blobs/sha256", hexOf(digest));
  }

  partial(digest: string): string {
    return `${this.blob(digest)}.partial`;
  }

  /** A name beside the layers for one that is not whole, or no longer wanted; without a diff_id, whose it is will be seen at its end. */
  temporary(diffId?: string): string {
    return join(this.root, "layers", `.tmp-${diffId === undefined ? "new" : hexOf(diffId)}-${randomBytes(6).toString("hex")}`);
  }

  recipe(diffId: string): string {
    return join(this.root, "recipes", `${hexOf(diffId)}.gz`);
  }

  #notePath(diffId: string): string {
    return join(this.root, "recipes", `${hexOf(diffId)}.json`);
  }

  /** What is remembered of a layer; a damaged note counts as none. */
  async note(diffId: string): Promise<LayerNote | undefined> {
    const json = parseJson((await readIfThere(this.#notePath(diffId))) ?? new Uint8Array());
    if (!isObject(json) || json["version"] !== 1 || !Number.isSafeInteger(json["size"]) || typeof json["recipe"] !== "boolean")
      return undefined;
    if (typeof json["tree"] !== "string" || !isDigest(json["tree"]) || !Number.isSafeInteger(json["things"])) return undefined;
    return json as unknown as LayerNote;
  }

  async writeNote(diffId: string, note: LayerNote): Promise<void> {
    await this.#write(this.#notePath(diffId), Buffer.from(`${JSON.stringify(note)}\n`));
  }

  /** Forgets note and recipe of a layer that is no more. */
  async removeNote(diffId: string): Promise<void> {
    await removeIfThere(this.#notePath(diffId));
    await removeIfThere(this.recipe(diffId));
  }

  /** diff_ids of which there is a note or a recipe. */
  async noted(): Promise<string[]> {
    const names = await listIfThere(join(this.root, "recipes"));
    return [...new Set(names.flatMap((name) => /^([0-9a-f]{64})\.(?:json|gz)$/.exec(name)?.[1] ?? []))].map((hex) => `sha256:${hex}`);
  }

  /** A layer with other owners; `name` as plan/paths.ts makes it. */
  shifted(name: string): string {
    return join(this.root, "shifted", name);
  }

  shiftLock(name: string): string {
    return join(this.root, "locks", `shift-${name}`);
  }

  layerLock(diffId: string): string {
    return join(this.root, "locks", hexOf(diffId));
  }

  get storeLock(): string {
    return join(this.root, "locks/store");
  }

  #recordPath(reference: string): string {
    return join(this.root, "images", recordName(reference));
  }

  /** True when the layer is there, and not a link into somebody else's store. */
  async owns(diffId: string): Promise<boolean> {
    return (await absentAs(undefined, () => lstat(this.layer(diffId))))?.isDirectory() === true;
  }

  /** Where a layer's files are, wherever that is; the layer's own name where it is not there. */
  async folder(diffId: string): Promise<string> {
    return (await absentAs(undefined, () => realpath(this.layer(diffId)))) ?? this.layer(diffId);
  }

  /** True when every layer is there, whole. */
  async hasLayers(diffIds: readonly string[]): Promise<boolean> {
    for (const diffId of diffIds) {
      if (!(await exists(this.layer(diffId)))) return false;
    }
    return true;
  }

  /** What is recorded for a reference; a damaged record counts as none: pulling again mends it. */
  async record(reference: string): Promise<ImageRecord | undefined> {
    const record = parseRecord(await readIfThere(this.#recordPath(reference)));
    return record?.facts.reference === reference ? record : undefined;
  }

  /** All records, by reference. */
  async records(): Promise<ImageRecord[]> {
    const names = (await listIfThere(join(this.root, "images"))).filter((n) => /^[0-9a-f]{64}\.json$/.test(n));
    const found = await Promise.all(names.map(async (n) => parseRecord(await readIfThere(join(this.root, "images", n)))));
    return found.filter((r) => r !== undefined).sort((a, b) => (a.facts.reference < b.facts.reference ? -1 : 1));
  }

  /** Names of files among the records that are none, or one under another's name: which image they are of cannot be told. */
  async damagedRecords(): Promise<string[]> {
    const damaged: string[] = [];
    for (const name of await listIfThere(join(this.root, "images"))) {
      if (!name.endsWith(".json")) continue;
      const record = parseRecord(await readIfThere(join(this.root, "images", name)).catch(() => undefined));
      if (record === undefined || recordName(record.facts.reference) !== name) damaged.push(name);
    }
    return damaged;
  }

  async writeRecord(record: ImageRecord): Promise<void> {
    await this.#write(this.#recordPath(record.facts.reference), Buffer.from(`${JSON.stringify(record)}\n`));
  }

  /** Forgets a reference; its layers stay until a prune. False when there was none. */
  async removeRecord(reference: string): Promise<boolean> {
    return removeIfThere(this.#recordPath(reference));
  }

  /** A blob's bytes, or undefined where it is not there or damaged. */
  async readBlob(digest: string): Promise<Uint8Array | undefined> {
    const bytes = await readIfThere(this.blob(digest));
    return bytes !== undefined && createHash("sha256").update(bytes).digest("hex") === hexOf(digest) ? bytes : undefined;
  }

  async writeBlob(digest: string, bytes: Uint8Array): Promise<void> {
    if ((await this.readBlob(digest)) === undefined) await this.#write(this.blob(digest), bytes);
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, bytes, 0o600);
  }
}

/** The name of a reference's record in images/. */
export function recordName(reference: string): string {
  return `${createHash("sha256").update(reference).digest("hex")}.json`;
}

/** A record's bytes, checked; undefined for what is none. */
export function parseRecord(bytes: Uint8Array | undefined): ImageRecord | undefined {
  const json = bytes === undefined ? undefined : parseJson(bytes);
  if (!isObject(json) || json["version"] !== 1 || typeof json["named"] !== "string" || typeof json["configDigest"] !== "string")
    return undefined;
  const { facts } = json;
  if (!isObject(facts) || typeof facts["reference"] !== "string" || typeof facts["digest"] !== "string" || !isDigest(facts["digest"]))
    return undefined;
  const { layers } = facts;
  if (!Array.isArray(layers) || !layers.every((l) => typeof l === "string" && isDigest(l)) || !isObject(facts["config"])) return undefined;
  // Our own file, written by writeRecord: the rest has the shape it was written in.
  return json as unknown as ImageRecord;
}

export async function exists(path: string): Promise<boolean> {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Names in a folder; empty where there is none. */
export async function listIfThere(path: string): Promise<string[]> {
  return (await absentAs(undefined, async () => readdirSync(path))) ?? [];
}

export async function removeIfThere(path: string): Promise<boolean> {
  return absentAs(false, () => unlink(path).then(() => true));
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return absentAs(undefined, async () => readFileSync(path));
}

async function absentAs<T, A>(absent: A, work: () => Promise<T>): Promise<T | A> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return absent;
    throw error;
  }
}
