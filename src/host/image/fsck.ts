// Looks for damage in the store and mends it: what is wrong goes, and what images then lack is fetched anew.
//
// How a layer is known to be whole: unpacking records a digest of its tree (names, owners, modes, times, sizes, attributes), compared here
// without reading a file; `deep` also packs it again by its recipe, so that every byte is held against the diff_id.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, FsckWishes } from "../../ports/image-store.js";
import { DEADLINES } from "./deadlines.js";
import { isObject, parseJson, strings } from "./json.js";
import { listedImages, readLists } from "./lists/record.js";
import { layersInUse, needed } from "./prune.js";
import { Altered, checkLayer, type Repacker } from "./repack.js";
import { exists, type ImageRecord, listIfThere, removeIfThere, type Store } from "./store.js";
import { removeTrees } from "./unpack.js";

const PARALLEL = 2;

interface Survey {
  readonly findings: Finding[];
  /** Images that lack something: to be fetched. */
  readonly lacking: Set<ImageRecord>;
  /** diff_ids of layers that are there and wrong. */
  readonly altered: Map<string, string>;
}

/** The caller holds the store's lock: shared to look, exclusive to repair. Does not fetch: gives the records that lack something. */
export async function survey(repacker: Repacker, wishes: FsckWishes): Promise<{ findings: Finding[]; lacking: ImageRecord[] }> {
  const { store } = repacker;
  const found: Survey = { findings: [], lacking: new Set(), altered: new Map() };
  await surveyRecordFiles(store, wishes, found);
  await surveyListFiles(store, wishes, found);
  const listed = await listedImages(store);
  const records = [...(await store.records()), ...listed];
  for (const record of records) await surveyBlobs(store, record, wishes, found);
  await surveyLayers(repacker, records, wishes, found);
  await surveyKept(store, records, wishes, found);
  await surveyRest(repacker, records, wishes, found);
  return { findings: found.findings, lacking: [...found.lacking].filter((r) => !listed.includes(r)) };
}

/** Files of images/ that are no record, or one under another's name. */
async function surveyRecordFiles(store: Store, { repair }: FsckWishes, { findings }: Survey): Promise<void> {
  for (const name of await store.damagedRecords()) {
    if (repair) await removeIfThere(join(store.root, "images", name));
    const detail = "it is damaged: which image it was of cannot be told";
    findings.push({
      kind: "record",
      what: `images/${name}`,
      detail,
      images: [],
      weight: "damage",
      ...(repair ? { mended: "removed" } : {}),
    });
  }
}

/** Files of lists/ that are no list. */
async function surveyListFiles(store: Store, { repair }: FsckWishes, { findings }: Survey): Promise<void> {
  for (const name of (await readLists(store)).damaged) {
    const what = `lists/${name}`;
    if (repair) await removeIfThere(join(store.root, what));
    const detail = "it is damaged: which manifest list it was cannot be told";
    findings.push({ kind: "record", what, detail, images: [], weight: "damage", ...(repair ? { mended: "removed" } : {}) });
  }
}

/** Manifest and configuration; whether they fit each other. */
async function surveyBlobs(store: Store, record: ImageRecord, { repair }: FsckWishes, { findings, lacking }: Survey): Promise<void> {
  const { facts, configDigest } = record;
  const images = [facts.reference];
  for (const [kind, digest] of [
    ["manifest", facts.digest],
    ["configuration", configDigest],
  ] as const) {
    // prettier-ignore
    if ((await store.readBlob(digest)) !== undefined) continue;
    const detail = (await exists(store.blob(digest))) ? "its bytes are not those of its digest" : "it is not there";
    findings.push({ kind, what: digest, detail, images, weight: "damage" });
    // Damaged bytes must not count as there: a pull would leave them.
    if (repair) await removeIfThere(store.blob(digest));
    lacking.add(record);
  }
  const config = parseJson((await store.readBlob(configDigest)) ?? new Uint8Array());
  const rootfs = isObject(config) ? config["rootfs"] : undefined;
  const diffIds = isObject(rootfs) ? strings(rootfs["diff_ids"]) : undefined;
  if (diffIds === undefined || diffIds.join() === facts.layers.join()) return;
  findings.push({
    kind: "record",
    what: facts.reference,
    detail: "its layers are not those of the configuration",
    images,
    weight: "damage",
  });
}

async function surveyLayers(repacker: Repacker, records: readonly ImageRecord[], wishes: FsckWishes, found: Survey): Promise<void> {
  const { store } = repacker;
  const owners = new Map<string, ImageRecord[]>();
  for (const record of records) for (const layer of new Set(record.facts.layers)) owners.set(layer, [...(owners.get(layer) ?? []), record]);
  const present = (await listIfThere(join(store.root, "layers"))).filter((n) => /^[0-9a-f]{64}$/.test(n)).map((hex) => `sha256:${hex}`);
  const queue = [...new Set([...owners.keys(), ...present])].sort();
  const keep = await needed(store, wishes.pinned);
  const inUse = await layersInUse(store, wishes.running);
  const work = async () => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      const own = owners.get(layer) ?? [];
      const busy = [...(inUse.get(layer) ?? []), ...own.flatMap((r) => wishes.running.get(r.facts.digest) ?? [])];
      const use = { owners: own, isNeeded: keep.layers.has(layer.slice(7)), busy: [...new Set(busy)].sort() };
      await surveyLayer(repacker, layer, use, wishes, found);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** Who has to do with a layer. */
interface Use {
  /** Images that have it. */
  readonly owners: readonly ImageRecord[];
  /** An image or an installed pod needs it. */
  readonly isNeeded: boolean;
  /** Pods that run on it, also of an image whose name has moved on. */
  readonly busy: readonly string[];
}

async function surveyLayer(
  repacker: Repacker,
  layer: string,
  { owners, isNeeded, busy }: Use,
  wishes: FsckWishes,
  { findings, lacking }: Survey,
): Promise<void> {
  const { store } = repacker;
  const images = owners.map((r) => r.facts.reference);
  const finding = (kind: Finding["kind"], weight: Finding["weight"], detail: string, mended?: string) =>
    findings.push({ kind, what: layer, detail, images, weight, ...(mended === undefined ? {} : { mended }) });
  const lack = () => {
    for (const record of owners) lacking.add(record);
  };
  if (!(await exists(store.layer(layer)))) {
    lack();
    return void finding("layer", "damage", "it is not there");
  }
  if (!isNeeded) finding("unneeded", "note", "no image and no pod needs it: podgen image prune frees it");
  const note = await store.note(layer);
  if (note === undefined) return void finding("unknown", "note", "nothing is remembered of how it was unpacked: an older podgen did it");
  const why = await faultOf(repacker, layer, note, wishes.deep);
  if (why === undefined) return;
  if (!wishes.repair) return void finding("layer", "damage", why);
  if (busy.length > 0) return void finding("layer", "damage", `${why}; it stays until its pods are stopped: podgen stop ${busy.join(" ")}`);
  // No name to fetch it by: it would be gone for good, and its pod could not start.
  if (isNeeded && owners.length === 0)
    return void finding("layer", "damage", `${why}; a pod needs it: podgen image pull its image, then this again`);
  const away = store.temporary(layer);
  await rename(store.layer(layer), away);
  await store.removeNote(layer);
  await removeTrees(repacker.podrt, [away], repacker.env, DEADLINES.unpack);
  lack();
  finding("layer", "damage", why, owners.length === 0 ? "removed" : undefined);
}

async function faultOf(
  repacker: Repacker,
  layer: string,
  note: Parameters<typeof checkLayer>[2],
  deep: boolean,
): Promise<string | undefined> {
  try {
    if (note.recipe && !(await exists(repacker.store.recipe(layer)))) return "its recipe is not there";
    await checkLayer(repacker, layer, note, deep);
    return undefined;
  } catch (error) {
    if (error instanceof Altered) return error.message;
    throw error;
  }
}

/** Blobs of layers that are kept: read only when every byte is. */
async function surveyKept(
  store: Store,
  records: readonly ImageRecord[],
  { deep, repair }: FsckWishes,
  { findings }: Survey,
): Promise<void> {
  const small = new Set(records.flatMap((r) => [r.facts.digest, r.configDigest]));
  for (const name of deep ? await listIfThere(join(store.root, "blobs/sha256")) : []) {
    const digest = `sha256:${name}`;
    if (!/^[0-9a-f]{64}$/.test(name) || small.has(digest)) continue;
    const hash = createHash("sha256");
    for await (const piece of createReadStream(store.blob(digest))) hash.update(piece as Uint8Array);
    if (hash.digest("hex") === name) continue;
    if (repair) await removeIfThere(store.blob(digest));
    findings.push({
      kind: "blob",
      what: digest,
      detail: "its bytes are not those of its digest",
      images: [],
      weight: "damage",
      ...(repair ? { mended: "removed" } : {}),
    });
  }
}

/** What killed podgens left, and notes of layers that are no more. A cut download is no leftover: a pull goes on from it. */
async function surveyRest(
  { store, podrt, env }: Repacker,
  records: readonly ImageRecord[],
  { repair }: FsckWishes,
  { findings }: Survey,
): Promise<void> {
  const left: string[] = [];
  for (const folder of ["layers", "images", "lists", "blobs/sha256", "recipes"])
    for (const name of await listIfThere(join(store.root, folder)))
      if (name.startsWith(".tmp-") || name.endsWith(".tmp")) left.push(`${folder}/${name}`);
  const wanted = new Set(records.flatMap((r) => r.facts.layers));
  for (const diffId of await store.noted()) {
    // Of an image's layer that is gone is told as such.
    if (wanted.has(diffId) || (await exists(store.layer(diffId)))) continue;
    if (repair) await store.removeNote(diffId);
    findings.push({
      kind: "leftover",
      what: diffId,
      detail: "a note of a layer that is not there",
      images: [],
      weight: "note",
      ...(repair ? { mended: "removed" } : {}),
    });
  }
  if (repair)
    await removeTrees(
      podrt,
      left.map((path) => join(store.root, path)),
      env,
      DEADLINES.unpack,
    ); // prettier-ignore
  for (const what of left)
    findings.push({
      kind: "leftover",
      what,
      detail: "left by a podgen that was killed, or is at work",
      images: [],
      weight: "note",
      ...(repair ? { mended: "removed" } : {}),
    });
}
