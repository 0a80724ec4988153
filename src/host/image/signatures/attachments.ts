// Signatures that are in the registry with the image, as cosign puts them: layers of an image with the tag sha256-HEX.sig.
import { ImageError } from "../../../ports/images.js";
import { isObject, parseJson, printable } from "../json.js";
import { type Descriptor, MANIFEST_TYPES } from "../manifest.js";
import { hexOf, isDigest } from "../reference.js";
import { checkDigest, type RawManifest } from "../resolve.js";
import { SIGNATURE_MAX, SIGNATURES_MAX, type Signature, texts } from "./signature.js";

/** The repository of the image. */
export interface Attached {
  readonly text: string;
  /** undefined: there is none of that tag. Throws ImageError. */
  find(tag: string): Promise<RawManifest | undefined>;
  layer(blob: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The tag of what is attached to a manifest. */
export function attachmentTag(digest: string): string {
  return `sha256-${hexOf(digest)}.sig`;
}

/** The signatures attached to a manifest, and what else is attached; who verifies looks at the media types. Throws ImageError. */
export async function readAttachments(from: Attached, digest: string): Promise<Signature[]> {
  const tag = attachmentTag(digest);
  const raw = await from.find(tag);
  if (raw === undefined) return [];
  const bad = (why: string) => new ImageError("image-bad", from.text, `${from.text}: the signatures ${tag}: ${why}`);
  const json = parseJson(raw.bytes);
  const type = isObject(json) && typeof json["mediaType"] === "string" ? json["mediaType"] : raw.type;
  if (!isObject(json) || type !== MANIFEST_TYPES[0]) throw bad(`they are no OCI manifest but ${printable(type ?? "something else")}`);
  const layers = json["layers"];
  if (!Array.isArray(layers)) throw bad("their manifest has no list of layers");
  if (layers.length > SIGNATURES_MAX) throw bad(`there are over ${SIGNATURES_MAX}`);
  const found: Signature[] = [];
  for (const layer of layers) {
    const { digest: blob, size, mediaType, annotations } = isObject(layer) ? layer : {};
    if (typeof blob !== "string" || !isDigest(blob) || typeof mediaType !== "string")
      throw bad("a layer of their manifest is not described");
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || size > SIGNATURE_MAX)
      throw bad(`a layer is not of 0 to ${SIGNATURE_MAX} bytes`);
    const payload = await whole(from, { digest: blob, size, mediaType });
    checkDigest(payload, blob, `a layer of ${tag}`, from.text);
    found.push({ kind: "sigstore", mediaType, payload, annotations: texts(annotations) });
  }
  return found;
}

async function whole(from: Attached, blob: Descriptor): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of from.layer(blob, 0, new AbortController().signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}
