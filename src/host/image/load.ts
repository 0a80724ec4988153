// What is in an archive of images, and bringing one of them into the store under names of the store.
import { open } from "node:fs/promises";
import type { ArchivedImage } from "../../ports/image-store.js";
import { ImageError } from "../../ports/images.js";
import { isObject, parseJson, strings } from "./json.js";
import { MANIFEST_MAX } from "./manifest.js";
import { indexTar, memberOf } from "./tar.js";

const REF_NAME = "org.opencontainers.image.ref.name";

/** The images of an archive, by its own list of them: manifest.json, else index.json. Throws ImageError image-bad. */
export async function contentsOf(path: string): Promise<ArchivedImage[]> {
  const bad = (why: string, cause?: unknown) =>
    new ImageError(
      "image-bad",
      path,
      `${path}: ${why}`,
      "podgen image save, docker save, podman save and skopeo copy write such archives.",
      cause,
    );
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new ImageError(
      error.code === "ENOENT" ? "image-not-found" : "image-bad",
      path,
      `${path} cannot be read: ${error.code}`,
      undefined,
      error,
    );
  });
  try {
    const members = await indexTar(file).catch((error: Error) => {
      throw bad(error.message, error);
    });
    const read = async (name: string) => {
      const member = memberOf(members, name);
      if (member === undefined) return undefined;
      if (member.size > MANIFEST_MAX) throw bad(`its ${name} is over 4 MiB`);
      const bytes = Buffer.alloc(member.size);
      await file.read(bytes, 0, member.size, member.offset);
      return parseJson(bytes);
    };
    const docker = await read("manifest.json");
    if (Array.isArray(docker))
      return docker.map((entry, i) => ({
        source: `docker-archive:${path}:@${i}`,
        names: (isObject(entry) && strings(entry["RepoTags"])) || [],
      }));
    const index = await read("index.json");
    if (isObject(index) && Array.isArray(index["manifests"])) return layoutImages(path, index["manifests"], bad);
    throw bad("it is no archive of images: it has neither manifest.json nor index.json");
  } finally {
    await file.close();
  }
}

/** One image per name; several entries of one name are one image for several platforms. */
function layoutImages(path: string, manifests: readonly unknown[], bad: (why: string) => ImageError): ArchivedImage[] {
  const names = manifests.map((entry) => {
    const annotations = (entry as { annotations?: unknown }).annotations;
    const name = typeof annotations === "object" && annotations !== null ? (annotations as Record<string, unknown>)[REF_NAME] : undefined;
    return typeof name === "string" ? name : undefined;
  });
  const unique = [...new Set(names)];
  if (unique.length > 1 && unique.includes(undefined)) throw bad("of its several images one has no name, so that it cannot be asked for");
  return unique.map((name) => ({
    source: `oci-archive:${path}${name === undefined ? "" : `:${name}`}`,
    names: name === undefined ? [] : [name],
  }));
}
