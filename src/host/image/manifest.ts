// Manifests, indexes and image configurations: bytes to checked values (OCI image-spec 1.1, docker schema 2).
import type { ImageConfig } from "../../base/facts.js";
import { ImageError } from "../../ports/images.js";
import { isObject, type Json, parseJson, printable, strings } from "./json.js";
import { fit, type Platform, platformName } from "./platform.js";
import { isDigest } from "./reference.js";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface IndexEntry extends Descriptor {
  readonly platform?: Platform;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Manifest =
  | { readonly kind: "index"; readonly entries: readonly IndexEntry[] }
  | { readonly kind: "image"; readonly config: Descriptor; readonly layers: readonly Descriptor[] };

/** What an image configuration says, as far as podgen reads it. */
export interface Configuration {
  readonly platform: Platform;
  readonly diffIds: readonly string[];
  readonly config: ImageConfig;
}

/** Manifests are small: 4 MiB is what registries and the distribution specification hold to, for configurations too. */
export const MANIFEST_MAX = 4 * 1024 * 1024;

export const INDEX_TYPES = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
export const MANIFEST_TYPES = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const CONFIG_TYPES = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const SCHEMA1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar(?:\+(?:gzip|zstd))?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/;

/** Reads a manifest or an index. `type` is what the source says it is, if it says. Throws ImageError image-bad. */
export function parseManifest(bytes: Uint8Array, type: string | undefined, reference: string): Manifest {
  const bad = (why: string, hint?: string) => new ImageError("image-bad", reference, `${reference}: ${why}`, hint);
  if (bytes.length > MANIFEST_MAX) throw bad(`its manifest is over ${MANIFEST_MAX / 1024 / 1024} MiB`);
  const json = parseJson(bytes);
  if (!isObject(json)) {
    throw bad(
      `what should be its manifest is not JSON${type === undefined ? "" : ` but ${printable(type)}`}`,
      "Check that the name is that of a registry.",
    );
  }
  const named = typeof json["mediaType"] === "string" ? json["mediaType"] : type;
  if (json["schemaVersion"] === 1 || (named !== undefined && SCHEMA1.test(named))) {
    throw bad("its manifest is docker schema 1, which has no digests to trust", "Push the image again with any current tool.");
  }
  if (json["schemaVersion"] !== 2) throw bad("its manifest has no schemaVersion 2");
  refuseAmbiguous(json, type, bad);
  // An index by its media type, or by its shape where older tools left the type out.
  if ((named !== undefined && INDEX_TYPES.includes(named)) || (json["layers"] === undefined && Array.isArray(json["manifests"]))) {
    const entries = json["manifests"];
    if (!Array.isArray(entries)) throw bad("its index has no list of manifests");
    return { kind: "index", entries: entries.map((e) => indexEntry(e, bad)) };
  }
  if (named !== undefined && !MANIFEST_TYPES.includes(named) && named.startsWith("application/vnd.")) {
    throw bad(`its manifest is of the unknown kind ${printable(named)}`);
  }
  const config = descriptor(json["config"], "configuration", bad);
  if (!CONFIG_TYPES.includes(config.mediaType)) {
    throw bad(`it is not a container image, its configuration is ${printable(config.mediaType)}`);
  }
  if (!Array.isArray(json["layers"])) throw bad("its manifest has no list of layers");
  const layers = json["layers"].map((l) => descriptor(l, "layer", bad));
  for (const layer of layers) {
    if (!LAYER.test(layer.mediaType)) throw bad(`a layer is of the unknown kind ${printable(layer.mediaType)}`);
  }
  return { kind: "image", config, layers };
}

/**
 * One that could be read as either kind would be two things under one digest (CVE-2021-41190): refused, as is what its source calls the
 * other kind. `bad` makes the error.
 */
export function refuseAmbiguous(json: { readonly [key: string]: Json }, type: string | undefined, bad: (why: string) => Error): void {
  const shaped = { index: json["manifests"] !== undefined, image: json["layers"] !== undefined || json["config"] !== undefined };
  if (shaped.index && shaped.image) throw bad("its manifest has the parts of an image and of an index, and may be taken for either");
  const called = [type, json["mediaType"]].map(kindOf).find((kind) => kind !== undefined && !shaped[kind]);
  // Of what has neither shape it is said what it lacks.
  if (called !== undefined && (shaped.index || shaped.image))
    throw bad(
      called === "index"
        ? "it is called an index, and is the manifest of an image"
        : "it is called the manifest of an image, and is an index",
    );
}

function kindOf(type: Json | undefined): "index" | "image" | undefined {
  if (typeof type !== "string") return undefined;
  return INDEX_TYPES.includes(type) ? "index" : MANIFEST_TYPES.includes(type) ? "image" : undefined;
}

/** The entry of an index that runs here. Throws ImageError image-no-platform, which lists what there is. */
export function choosePlatform(entries: readonly IndexEntry[], host: Platform, reference: string): IndexEntry {
  let best: { entry: IndexEntry; rank: number } | undefined;
  for (const entry of entries) {
    // An entry without a platform is taken only when nothing says that it fits better.
    const rank = entry.platform === undefined ? 100 : fit(entry.platform, host);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { entry, rank };
  }
  if (best !== undefined) return best.entry;
  const there = entries.flatMap((e) => (e.platform === undefined || e.platform.os === "unknown" ? [] : [platformName(e.platform)]));
  throw new ImageError(
    "image-no-platform",
    reference,
    `${reference} is not made for ${platformName(host)}`,
    there.length === 0 ? "It names no platform at all." : `It is there for ${[...new Set(there)].map(printable).join(", ")}.`,
  );
}

/** Reads an image configuration (OCI image-spec, config.md) and checks it against the layers of its manifest and, if given, the machine's platform. */
export function parseConfiguration(bytes: Uint8Array, layers: number, host: Platform | undefined, reference: string): Configuration {
  const bad = (why: string) => new ImageError("image-bad", reference, `${reference}: ${why}`);
  const json = parseJson(bytes);
  if (!isObject(json)) throw bad("its configuration is not JSON");
  const rootfs = json["rootfs"];
  const diffIds = isObject(rootfs) ? strings(rootfs["diff_ids"]) : undefined;
  if (diffIds === undefined || !diffIds.every(isDigest)) throw bad("its configuration has no list of sha256 diff_ids");
  if (diffIds.length !== layers) throw bad(`its configuration speaks of ${diffIds.length} layers, its manifest of ${layers}`);
  const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
  const platform = { os: text(json["os"]), architecture: text(json["architecture"]), variant: text(json["variant"]) };
  // Old builders leave them out; then nothing is known and the image is believed to fit. Variants are too often wrong to refuse.
  if (
    host !== undefined &&
    ((platform.os !== "" && platform.os !== host.os) || (platform.architecture !== "" && platform.architecture !== host.architecture))
  ) {
    throw new ImageError(
      "image-no-platform",
      reference,
      `${reference} is not made for ${platformName(host)}`,
      `It is made for ${printable(platformName(platform))} only.`,
    );
  }
  const config = isObject(json["config"]) ? json["config"] : {};
  const list = (name: string) => {
    const value = config[name];
    if (value === undefined || value === null) return [];
    const found = strings(value);
    if (found === undefined) throw bad(`config.${name} of its configuration is not a list of strings`);
    return found;
  };
  return {
    platform,
    diffIds,
    config: {
      entrypoint: list("Entrypoint"),
      cmd: list("Cmd"),
      env: list("Env"),
      user: text(config["User"]),
      workingDir: text(config["WorkingDir"]),
      stopSignal: text(config["StopSignal"]),
    },
  };
}

function descriptor(json: Json | undefined, what: string, bad: (why: string) => ImageError): Descriptor {
  if (!isObject(json)) throw bad(`a ${what} in its manifest is not described`);
  const { digest, size, mediaType } = json;
  if (typeof digest !== "string" || !isDigest(digest)) throw bad(`the digest of a ${what} is not sha256: ${printable(String(digest))}`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw bad(`the size of a ${what} is not a number of bytes`);
  if (typeof mediaType !== "string") throw bad(`a ${what} in its manifest has no media type`);
  return { digest, size, mediaType };
}

function indexEntry(json: Json, bad: (why: string) => ImageError): IndexEntry {
  const base = descriptor(json, "manifest", bad);
  const { platform, annotations } = json as Record<string, Json>;
  const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
  return {
    ...base,
    annotations: isObject(annotations)
      ? Object.fromEntries(Object.entries(annotations).flatMap(([k, v]) => (typeof v === "string" ? [[k, v]] : [])))
      : {},
    ...(isObject(platform)
      ? { platform: { os: text(platform["os"]), architecture: text(platform["architecture"]), variant: text(platform["variant"]) } }
      : {}),
  };
}
