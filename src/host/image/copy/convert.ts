// Manifests as a copy sees them: what they name, and the same with other blobs or in the other family of media types. Pure.
import { ImageError } from "../../../ports/images.js";
import { isObject, type Json, parseJson, printable } from "../json.js";
import { type Descriptor, INDEX_TYPES, MANIFEST_MAX, MANIFEST_TYPES, refuseAmbiguous } from "../manifest.js";
import { isDigest } from "../reference.js";
import type { RawManifest } from "../resolve.js";
import type { Form } from "./content.js";

type Fields = { readonly [key: string]: Json };

/** A layer as a manifest names it. */
export interface LayerPart extends Descriptor {
  /** To be had from elsewhere, and not from the image's own registry (foreign, nondistributable). */
  readonly foreign: boolean;
}

export type Parts = { readonly form: Form; readonly type: string; readonly json: Fields } & (
  | { readonly kind: "index"; readonly entries: readonly Descriptor[] }
  | { readonly kind: "image"; readonly config: Descriptor; readonly layers: readonly LayerPart[] }
);

export type Compression = "none" | "gzip" | "zstd";

const OCI = "application/vnd.oci.image.";
const DOCKER = "application/vnd.docker.";
/** Layer media types by what is inside; docker has no type for zstd. */
const LAYERS: Readonly<Record<Form, Readonly<Partial<Record<Compression, string>>>>> = {
  oci: { none: `${OCI}layer.v1.tar`, gzip: `${OCI}layer.v1.tar+gzip`, zstd: `${OCI}layer.v1.tar+zstd` },
  docker: { none: `${DOCKER}image.rootfs.diff.tar`, gzip: `${DOCKER}image.rootfs.diff.tar.gzip` },
};
const FOREIGN = new Map([
  [`${DOCKER}image.rootfs.foreign.diff.tar.gzip`, `${OCI}layer.nondistributable.v1.tar+gzip`],
  [`${DOCKER}image.rootfs.foreign.diff.tar`, `${OCI}layer.nondistributable.v1.tar`],
]);
const CONFIG: Readonly<Record<Form, string>> = { oci: `${OCI}config.v1+json`, docker: `${DOCKER}container.image.v1+json` };

/** Reads a manifest or an index, of whatever kind of artifact. Throws ImageError image-bad. */
export function partsOf(raw: RawManifest, reference: string): Parts {
  const bad = (why: string) => new ImageError("image-bad", reference, `${reference}: ${why}`);
  if (raw.bytes.length > MANIFEST_MAX) throw bad(`its manifest is over ${MANIFEST_MAX / 1024 / 1024} MiB`);
  const json = parseJson(raw.bytes);
  if (!isObject(json)) throw bad("what should be its manifest is not JSON");
  if (json["schemaVersion"] === 1) throw bad("its manifest is docker schema 1, which has no digests to trust");
  refuseAmbiguous(json, raw.type, bad);
  const index = json["layers"] === undefined && Array.isArray(json["manifests"]);
  const said = typeof json["mediaType"] === "string" ? json["mediaType"] : raw.type;
  const known = index ? INDEX_TYPES : MANIFEST_TYPES;
  // Old OCI manifests name no type; then that of their parts tells.
  const type = said !== undefined && known.includes(said) ? said : (known[0] as string);
  const form: Form = type.startsWith(DOCKER) ? "docker" : "oci";
  const one = (value: Json | undefined, what: string): Descriptor => {
    const found = isObject(value) ? value : {};
    const { digest, size, mediaType } = found;
    if (typeof digest !== "string" || !isDigest(digest)) throw bad(`the digest of a ${what} is not sha256: ${printable(String(digest))}`);
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw bad(`the size of a ${what} is not a number of bytes`);
    return { digest, size, mediaType: typeof mediaType === "string" ? mediaType : "" };
  };
  if (index) return { kind: "index", form, type, json, entries: (json["manifests"] as Json[]).map((e) => one(e, "manifest")) };
  if (!Array.isArray(json["layers"])) throw bad("its manifest has no list of layers");
  const layers = json["layers"].map((l) => {
    const urls = isObject(l) ? l["urls"] : undefined;
    return { ...one(l, "layer"), foreign: Array.isArray(urls) && urls.length > 0 };
  });
  return { kind: "image", form, type, json, config: one(json["config"], "configuration"), layers };
}

/** How a layer is compressed, by its media type; undefined: it is no layer of a container image. */
export function compressionOf(mediaType: string): Compression | undefined {
  for (const types of Object.values(LAYERS))
    for (const [compression, type] of Object.entries(types)) if (type === mediaType) return compression as Compression;
  // Seen in the wild, though it is in no specification.
  return mediaType === `${DOCKER}image.rootfs.diff.tar.zstd` ? "zstd" : undefined;
}

/** The media type of a layer; undefined where the family has none. */
export function layerType(form: Form, compression: Compression): string | undefined {
  return LAYERS[form][compression];
}

/**
 * The manifest of an image in `form` with its layers replaced; the very same bytes where nothing changes. Annotations have no place in
 * docker's manifests. Throws ImageError image-bad for what cannot be said in that family.
 */
export function withLayers(
  raw: RawManifest,
  parts: Extract<Parts, { kind: "image" }>,
  form: Form,
  layers: readonly Descriptor[],
  reference: string,
): Required<RawManifest> {
  const same = layers.every((l, i) => l.digest === parts.layers[i]?.digest && l.mediaType === parts.layers[i]?.mediaType);
  if (same && form === parts.form) return { bytes: raw.bytes, type: parts.type };
  const { json } = parts;
  const replaced = (json["layers"] as Json[]).map((was, i) => {
    const layer = layers[i] as Descriptor;
    if (form === parts.form && layer === parts.layers[i]) return was;
    // What the annotations of a layer say (zstd:chunked's table, say) is true of its very bytes only.
    const { annotations, ...rest } = was as Fields;
    const kept = form === "oci" && layer.digest === parts.layers[i]?.digest && annotations !== undefined ? { annotations } : {};
    return { ...rest, ...kept, mediaType: layerIn(form, layer, reference), digest: layer.digest, size: layer.size };
  });
  const config = json["config"] as Fields;
  const converted = form === parts.form ? config["mediaType"] : configIn(form, String(config["mediaType"]), reference);
  const type = form === "oci" ? (MANIFEST_TYPES[0] as string) : (MANIFEST_TYPES[1] as string);
  const head = { schemaVersion: 2, mediaType: type, config: { ...config, mediaType: converted as Json }, layers: replaced };
  // The rest of an OCI manifest stays (annotations, subject, artifactType); docker's has only these four.
  const { schemaVersion: _v, mediaType: _m, config: _c, layers: _l, ...others } = json;
  return { bytes: Buffer.from(JSON.stringify(form === "oci" ? { ...head, ...others } : head)), type };
}

function layerIn(form: Form, layer: Descriptor, reference: string): string {
  for (const [docker, oci] of FOREIGN) if (layer.mediaType === docker || layer.mediaType === oci) return form === "oci" ? oci : docker;
  const compression = compressionOf(layer.mediaType);
  const type = compression === undefined ? undefined : layerType(form, compression);
  if (type !== undefined) return type;
  throw unsayable(form, `a layer of type ${printable(layer.mediaType)}`, reference);
}

function configIn(form: Form, type: string, reference: string): string {
  if (Object.values(CONFIG).includes(type)) return CONFIG[form];
  throw unsayable(form, `a configuration of type ${printable(type)}`, reference);
}

function unsayable(form: Form, what: string, reference: string): ImageError {
  const name = form === "oci" ? "an OCI manifest" : "docker's schema 2";
  return new ImageError("image-bad", reference, `${reference}: ${what} cannot be said in ${name}`, "Copy it as it is, without --format.");
}

/** An index whose entries were replaced, in `form`; the same bytes where nothing changes. */
export function withEntries(
  raw: RawManifest,
  parts: Extract<Parts, { kind: "index" }>,
  form: Form,
  entries: readonly Descriptor[],
): Required<RawManifest> {
  const same = entries.every((e, i) => e.digest === parts.entries[i]?.digest && e.mediaType === parts.entries[i]?.mediaType);
  if (same && form === parts.form) return { bytes: raw.bytes, type: parts.type };
  const manifests = (parts.json["manifests"] as Json[]).map((was, i) => {
    const { annotations, ...rest } = was as Fields;
    const kept = form === "oci" && annotations !== undefined ? { annotations } : {};
    return { ...rest, ...kept, ...(entries[i] as Descriptor) };
  });
  const type = form === "oci" ? (INDEX_TYPES[0] as string) : (INDEX_TYPES[1] as string);
  const { schemaVersion: _v, mediaType: _m, manifests: _e, ...others } = parts.json;
  const head = { schemaVersion: 2, mediaType: type, manifests };
  return { bytes: Buffer.from(JSON.stringify(form === "oci" ? { ...head, ...others } : head)), type };
}
