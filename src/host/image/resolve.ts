// From a manifest's bytes to a whole image: follow indexes, check digests, read the configuration.
import { createHash } from "node:crypto";
import { ImageError } from "../../ports/images.js";
import { isObject, parseJson } from "./json.js";
import { choosePlatform, type Descriptor, MANIFEST_MAX, parseConfiguration, parseManifest, refuseAmbiguous } from "./manifest.js";
import type { Platform } from "./platform.js";
import type { Resolved } from "./source.js";

/** A manifest as it came: its bytes, and the media type its source gave. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly type?: string;
}

export interface Fetcher {
  manifest(digest: string): Promise<RawManifest>;
  /** A small blob, not longer than its descriptor says. */
  blob(descriptor: Descriptor): Promise<Uint8Array>;
}

// Indexes may be nested; deeper than this is nobody's image.
const DEPTH_MAX = 4;

/** `sha256:…` of bytes in memory. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Throws ImageError image-digest-mismatch unless the bytes are the ones `digest` names. */
export function checkDigest(bytes: Uint8Array, digest: string, what: string, reference: string): void {
  const found = digestOf(bytes);
  if (found !== digest) throw mismatch(reference, `${what} should be ${digest} but is ${found}`);
}

/** The error for bytes that are not what they should be. */
export function mismatch(reference: string, what: string, hint?: string): ImageError {
  return new ImageError(
    "image-digest-mismatch",
    reference,
    `${reference}: ${what}`,
    hint ?? "Try again; if it stays so, the image is damaged where it comes from, or somebody has changed it.",
  );
}

/** Throws ImageError image-bad where a descriptor calls a manifest an index, or an index a manifest. */
export function keepsPromise(raw: RawManifest, { mediaType }: Descriptor, reference: string): void {
  const json = parseJson(raw.bytes);
  const bad = (why: string) => new ImageError("image-bad", reference, `${reference}: ${why}`);
  if (isObject(json)) refuseAmbiguous(json, mediaType, bad);
}

/** Resolves `top`, whose digest was checked by the caller, to the image for `host`. Throws ImageError. */
export async function resolveImage(top: RawManifest, fetcher: Fetcher, host: Platform, reference: string): Promise<Resolved> {
  let raw = top;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const manifest = parseManifest(raw.bytes, raw.type, reference);
    if (manifest.kind === "image") {
      if (manifest.config.size > MANIFEST_MAX)
        throw new ImageError("image-bad", reference, `${reference}: its configuration is over 4 MiB`);
      const configBytes = await fetcher.blob(manifest.config);
      checkDigest(configBytes, manifest.config.digest, "its configuration", reference);
      return {
        named: digestOf(top.bytes),
        digest: digestOf(raw.bytes),
        manifest: raw.bytes,
        configDigest: manifest.config.digest,
        configBytes,
        layers: manifest.layers,
        configuration: parseConfiguration(configBytes, manifest.layers.length, host, reference),
      };
    }
    const entry = choosePlatform(manifest.entries, host, reference);
    raw = await fetcher.manifest(entry.digest);
    checkDigest(raw.bytes, entry.digest, "its manifest", reference);
    keepsPromise(raw, entry, reference);
  }
  throw new ImageError("image-bad", reference, `${reference}: its indexes are nested more than ${DEPTH_MAX} deep`);
}
