// What a place adds to a list: one image, the one of a platform, or all of an index.
import type { EntryWords, ListEntry, ListPlatform } from "../../../ports/image-lists.js";
import { ImageError } from "../../../ports/images.js";
import type { Content } from "../copy/content.js";
import { partsOf } from "../copy/convert.js";
import { isObject, type Json, parseJson } from "../json.js";
import { choosePlatform, type Descriptor, MANIFEST_MAX, parseManifest } from "../manifest.js";
import type { Platform } from "../platform.js";
import { checkDigest, digestOf, type RawManifest } from "../resolve.js";
import { platformFrom } from "./record.js";

type Found = Omit<ListEntry, "source">;

/** The entries that `content` makes; `platform` chooses of an index. Throws ImageError. */
export async function entriesOf(content: Content, all: boolean, platform: Platform): Promise<Found[]> {
  const { text } = content;
  const top = await content.top();
  const parts = partsOf(top, text);
  if (parts.kind === "image") return [await imageEntry(content, top, parts.type, undefined)];
  const listed = parts.json["manifests"] as Json[];
  const chosen = all ? undefined : choosePlatform(entriesIn(top, parts.type, text), platform, text).digest;
  const found: Found[] = [];
  for (const [i, entry] of parts.entries.entries()) {
    if (chosen !== undefined && entry.digest !== chosen) continue;
    const raw = await content.manifest(entry.digest);
    checkDigest(raw.bytes, entry.digest, "its manifest", text);
    const said = listed[i];
    const made = await imageEntry(content, raw, entry.mediaType, isObject(said) ? said["platform"] : undefined);
    found.push({ ...made, annotations: isObject(said) ? texts(said["annotations"]) : {} });
    if (chosen !== undefined) break;
  }
  return found;
}

function entriesIn(raw: RawManifest, type: string, text: string) {
  const index = parseManifest(raw.bytes, type, text);
  if (index.kind !== "index") throw new ImageError("image-bad", text, `${text}: its index is none`);
  return index.entries;
}

/** One manifest as an entry; where nobody has said its platform, its configuration does. */
async function imageEntry(content: Content, raw: RawManifest, type: string, said: Json | undefined): Promise<Found> {
  const parts = partsOf(raw, content.text);
  const platform = platformFrom(said) ?? (parts.kind === "image" ? platformFrom(await smallJson(content, parts.config)) : undefined);
  const shared = { mediaType: type || parts.type, digest: digestOf(raw.bytes), size: raw.bytes.length, annotations: {} };
  return platform === undefined ? shared : { ...shared, platform };
}

/** A configuration; of an artifact it may be anything. */
async function smallJson(content: Content, blob: Descriptor): Promise<Json | undefined> {
  if (blob.size > MANIFEST_MAX) throw new ImageError("image-bad", content.text, `${content.text}: its configuration is over 4 MiB`);
  const pieces: Uint8Array[] = [];
  for await (const piece of content.layer(blob, 0, new AbortController().signal)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  checkDigest(bytes, blob.digest, "its configuration", content.text);
  return parseJson(bytes);
}

/** An entry with what is said of it in its place. */
export function worded<T extends ListEntry>(entry: T, { platform, annotations = {} }: EntryWords): T {
  const said: Partial<ListPlatform> = platform ?? {};
  const whole = { os: "linux", architecture: "", ...entry.platform, ...said };
  const named = entry.platform !== undefined || Object.keys(said).length > 0;
  return { ...entry, ...(named ? { platform: whole } : {}), annotations: { ...entry.annotations, ...annotations } };
}

function texts(json: Json | undefined): Record<string, string> {
  return isObject(json) ? Object.fromEntries(Object.entries(json).flatMap(([k, v]) => (typeof v === "string" ? [[k, v]] : []))) : {};
}
