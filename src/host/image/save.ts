// Images of the store as one archive: an OCI layout in a tar, or what `docker save` writes. The same images give the same bytes.
import { stat } from "node:fs/promises";
import type { ArchiveFormat } from "../../ports/image-store.js";
import { ImageError } from "../../ports/images.js";
import type { Descriptor } from "./manifest.js";
import { hexOf } from "./reference.js";
import type { Repacker } from "./repack.js";
import type { StoredResolved, StoredSource } from "./stored.js";
import { tarEnd, tarMember } from "./tarwrite.js";

export interface Saved {
  readonly source: StoredSource;
  readonly resolved: StoredResolved;
  readonly names: readonly string[];
}

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const never = new AbortController().signal;

/** The pieces of the archive. Throws ImageError when a layer turns out to be damaged: what came before is then no archive. */
export async function* saveArchive(images: readonly Saved[], format: ArchiveFormat, repacker: Repacker): AsyncGenerator<Uint8Array> {
  if (format === "oci-archive") yield* ociArchive(images);
  else yield* dockerArchive(images, repacker);
  yield tarEnd();
}

async function* ociArchive(images: readonly Saved[]): AsyncGenerator<Uint8Array> {
  yield* tarMember("oci-layout", 30, [Buffer.from('{"imageLayoutVersion":"1.0.0"}')]);
  const manifests = images.flatMap(({ resolved, names }) => {
    const one = { mediaType: mediaTypeOf(resolved.manifest), digest: resolved.digest, size: resolved.manifest.length };
    const named = names.map((name) => ({ ...one, annotations: { "org.opencontainers.image.ref.name": name } }));
    return named.length === 0 ? [one] : named;
  });
  yield* small(
    "index.json",
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests })),
  );
  const done = new Set<string>();
  for (const { source, resolved } of images) {
    for (const [digest, bytes] of [
      [resolved.digest, resolved.manifest],
      [resolved.configDigest, resolved.configBytes],
    ] as const) // prettier-ignore
      if (!done.has(digest)) yield* small(blobName(digest), bytes);
    done.add(resolved.digest).add(resolved.configDigest);
    for (const layer of resolved.layers) {
      if (!done.has(layer.digest)) yield* tarMember(blobName(layer.digest), layer.size, source.layer(layer, 0, never));
      done.add(layer.digest);
    }
  }
}

/** Layers are plain tars here, by their diff_id; one that is only kept compressed goes in as it is, which its readers know by its bytes. */
async function* dockerArchive(images: readonly Saved[], repacker: Repacker): AsyncGenerator<Uint8Array> {
  const done = new Set<string>();
  for (const { source, resolved } of images) {
    const { diffIds } = resolved.configuration;
    for (const [i, diffId] of diffIds.entries()) {
      if (done.has(diffId)) continue;
      done.add(diffId);
      const layer = (await plain(repacker, diffId)) ?? (resolved.layers[i] as Descriptor);
      yield* tarMember(`${hexOf(diffId)}.tar`, layer.size, source.layer(layer, 0, never));
    }
    if (!done.has(resolved.configDigest)) yield* small(`${hexOf(resolved.configDigest)}.json`, resolved.configBytes);
    done.add(resolved.configDigest);
  }
  const manifest = images.map(({ resolved, names }) => ({
    Config: `${hexOf(resolved.configDigest)}.json`,
    RepoTags: names,
    Layers: resolved.configuration.diffIds.map((diffId) => `${hexOf(diffId)}.tar`),
  }));
  yield* small("manifest.json", Buffer.from(JSON.stringify(manifest)));
}

async function plain({ store }: Repacker, diffId: string): Promise<Descriptor | undefined> {
  const note = await store.note(diffId);
  const recipe = note?.recipe === true && (await stat(store.recipe(diffId)).catch(() => undefined)) !== undefined;
  return recipe ? { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: diffId, size: note.size } : undefined;
}

function small(name: string, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  return tarMember(name, bytes.length, [bytes]);
}

function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function mediaTypeOf(manifest: Uint8Array): string {
  const { mediaType } = JSON.parse(Buffer.from(manifest).toString()) as { mediaType?: string };
  return mediaType ?? OCI_MANIFEST;
}

/** Images that cannot be in one archive: two of them by one name. */
export function checkNames(images: readonly { readonly reference: string; readonly names: readonly string[] }[]): void {
  const owners = new Map<string, string>();
  for (const { reference, names } of images)
    for (const name of names) {
      const other = owners.get(name);
      if (other !== undefined && other !== reference)
        throw new ImageError("image-bad", reference, `${reference} and ${other} cannot both be ${name} in one archive`);
      owners.set(name, reference);
    }
}
