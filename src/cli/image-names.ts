// Images as people name them on the command line: to references, and to images of the store.
import { resolve } from "node:path";
import { imagesOf, type Manifest } from "../base/installed.js";
import { formatImage, parseImage } from "../model/kube/image.js";
import type { StoredImage } from "../ports/image-store.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/** The whole reference a word stands for; paths after `oci:` and `docker-archive:` may be relative. Throws UserError. */
export function referenceOf(word: string, context: Pick<Context, "cwd">): string {
  const local = /^(oci|docker-archive):([^/:][^:]*)(.*)$/s.exec(word);
  const text = local === null ? word : `${local[1]}:${resolve(context.cwd, local[2] ?? "")}${local[3]}`;
  const parsed = parseImage(text);
  if ("image" in parsed) return formatImage(parsed.image);
  throw new UserError(`${word} ${parsed.problem}`, EXIT.usage, parsed.hint);
}

/** Pods by the digest of an image they need: what must stay in the store. */
export function podsByImage(manifest: Manifest): ReadonlyMap<string, readonly string[]> {
  const pods = new Map<string, string[]>();
  for (const pod of Object.values(manifest.pods))
    for (const { digest } of imagesOf(pod)) {
      const names = pods.get(digest) ?? [];
      if (!names.includes(pod.name)) pods.set(digest, [...names, pod.name].sort());
    }
  return pods;
}

/** Copies of layers that pods with a user namespace of their own use. */
export function shiftedOf(manifest: Manifest): string[] {
  return Object.values(manifest.pods).flatMap((pod) => pod.shifted ?? []);
}

/**
 * The images of the store that a word means: a whole name, one without its registry or its tag (latest), a digest or the beginning of
 * an id (12 to 64 hex digits, of the manifest or of the configuration: then all names of that image). Throws UserError for none and for several.
 */
export function matchImages(word: string, images: readonly StoredImage[], context: Pick<Context, "cwd">): readonly StoredImage[] {
  const hex = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(word)?.[1];
  if (hex !== undefined) {
    const found = images.filter((i) => [i.digest, i.configDigest].some((d) => d.slice(7).startsWith(hex)));
    // One configuration may be there under two manifests: saved and loaded again, its layers are packed in another way.
    const distinct = (of: (image: StoredImage) => string) => new Set(found.map(of)).size;
    if (distinct((i) => i.digest) > 1 && distinct((i) => i.configDigest) > 1) throw several(word, found);
    if (found.length > 0) return found;
  }
  const exact = images.filter((i) => i.reference === word || i.reference === tryReference(word, context));
  const near = exact.length > 0 ? exact : images.filter((i) => shortNames(i.reference).includes(word));
  if (near.length > 1) throw several(word, near);
  if (near.length === 0) throw new UserError(`${word}: there is no such image in the store`, EXIT.failed, "podgen image ls lists them");
  return near;
}

function tryReference(word: string, context: Pick<Context, "cwd">): string | undefined {
  try {
    return referenceOf(word, context);
  } catch {
    return undefined;
  }
}

/** `docker.io/library/nginx:latest` is also `library/nginx:latest`, `nginx:latest` and, as the tag is latest, `nginx`. */
function shortNames(reference: string): string[] {
  const parts = reference.split("/");
  const tails = parts.map((_, i) => parts.slice(i).join("/"));
  return [...tails, ...tails.flatMap((t) => (t.endsWith(":latest") ? [t.slice(0, -":latest".length)] : []))];
}

function several(word: string, found: readonly StoredImage[]): UserError {
  return new UserError(`${word} means several images`, EXIT.failed, `write one of: ${found.map((i) => i.reference).join(", ")}`);
}

/** Pods whose specs name this image (`name`), or that need these bytes under whatever name (`image`). */
export function neededBy(image: StoredImage, manifest: Manifest, by: "name" | "image"): readonly string[] {
  const uses = (i: { readonly reference: string; readonly digest: string }) =>
    i.reference === image.reference || (by === "image" && i.digest === image.digest);
  return Object.values(manifest.pods)
    .filter((pod) => imagesOf(pod).some(uses))
    .map((pod) => pod.name)
    .sort();
}

/** The one image meant, under the first of its names: what a command that shows or copies one image looks at. */
export function onlyImage(images: readonly StoredImage[]): StoredImage {
  const [image] = images;
  if (image === undefined) throw new UserError("there is no such image in the store");
  return image;
}

/** A name for an image of the store: as a reference, but without a registry it is of `localhost`, as podman has it. Throws UserError. */
export function nameOf(word: string, context: Pick<Context, "cwd">): string {
  const parsed = parseImage(word);
  const local = "image" in parsed ? undefined : parsed.code === "short-image" ? parseImage(`localhost/${word}`) : undefined;
  const found = local ?? parsed;
  if ("image" in found && found.image.kind === "registry") return formatImage(found.image);
  if ("image" in found) throw new UserError(`${word} is no name for an image of the store`, EXIT.usage);
  return referenceOf(word, context);
}

/** The store's name for what an archive calls an image: docker leaves its own registry out, and some tools write a tag alone. */
export function archivedName(name: string): string {
  const parsed = parseImage(name);
  if ("image" in parsed && parsed.image.kind === "registry") return formatImage(parsed.image);
  if (!("image" in parsed) && parsed.code === "short-image") {
    const hub = name.includes(":") || name.includes("/") ? `docker.io/${name.includes("/") ? "" : "library/"}${name}` : `localhost/${name}`;
    const full = parseImage(hub);
    if ("image" in full) return formatImage(full.image);
  }
  throw new UserError(`the archive calls an image ${JSON.stringify(name)}, which is no name`, EXIT.failed, "give it one: --name NAME");
}
