// Places of images as people name them, transport first: to names with absolute paths and whole references.
import { resolve } from "node:path";
import { parseStoredName } from "../base/containers-storage.js";
import { formatImage, parseImage } from "../model/kube/image.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { matchImages, nameOf } from "./image-names.js";
import type { Names } from "./image-short-places.js";

type Asking = Pick<Context, "cwd" | "host">;

/** What each transport's name looks like, for messages. */
const TRANSPORTS: Readonly<Record<string, string>> = {
  "docker://": "docker://HOST/REPOSITORY[:TAG][@DIGEST], in a registry",
  "oci:": "oci:FOLDER[:NAME], a folder of the OCI image layout",
  "oci-archive:": "oci-archive:FILE[:NAME], a tar of one",
  "docker-archive:": "docker-archive:FILE[:NAME:TAG], as docker save writes it",
  "dir:": "dir:FOLDER, plain files",
  "containers-storage:": "containers-storage:NAME, of podman's store, to be read",
};
const PODMAN = "containers-storage:";
/** podgen's own: an image of it is found by any of its names. */
const STORE = "store:";
/** Known by skopeo; why not here. */
const REFUSED: Readonly<Record<string, string>> = {
  "docker-daemon:": "podgen speaks with no daemon; docker save writes an archive",
  "atomic:": "it was OpenShift's; docker:// reaches its registry",
  "ostree:": "nobody writes it any more",
  "sif:": "Singularity's files are not images of layers",
  "tarball:": "it has no image in it; podman import makes one",
};

/** The whole name of a place. Throws UserError (64) for one that is none. */
export function placeOf(word: string, context: Pick<Context, "cwd">): string {
  for (const [transport, why] of Object.entries(REFUSED))
    if (word.startsWith(transport)) throw new UserError(`${word}: ${transport} is not for podgen: ${why}`, EXIT.usage);
  const transport = Object.keys(TRANSPORTS).find((t) => word.startsWith(t));
  if (transport === undefined) {
    const list = [...Object.values(TRANSPORTS), `${STORE}IMAGE, in podgen's own store`].map((text) => `\n    ${text}`);
    throw new UserError(`${word} does not say where it is`, EXIT.usage, `begin it with its transport:${list.join("")}`);
  }
  const rest = word.slice(transport.length);
  if (transport === "docker://") return `${transport}${registryName(word, rest)}`;
  if (transport === PODMAN) return podmanName(word, rest);
  // The first colon ends a path, but a folder of plain files has no name behind it.
  const colon = transport === "dir:" ? -1 : rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path === "") throw new UserError(`${word} names no file`, EXIT.usage, TRANSPORTS[transport]);
  const name = colon < 0 ? "" : rest.slice(colon);
  if (transport === "docker-archive:" && name !== "" && !/^:(?:@\d+|[^:@]+(?::\d+\/[^:@]+)?:[\w][\w.-]{0,127})$/.test(name))
    throw new UserError(`${word}: the name in an archive is NAME:TAG, or @N for its Nth image`, EXIT.usage);
  return `${transport}${resolve(context.cwd, path)}${name}`;
}

function podmanName(word: string, name: string): string {
  const parsed = parseStoredName(name);
  if ("problem" in parsed) throw new UserError(`${word} ${parsed.problem}`, EXIT.usage, parsed.hint);
  return word;
}

function registryName(word: string, name: string): string {
  const parsed = parseImage(name);
  if ("image" in parsed && parsed.image.kind === "registry") return formatImage(parsed.image);
  const problem = "image" in parsed ? "is no name in a registry" : parsed.problem;
  throw new UserError(`${word} ${problem}`, EXIT.usage, "image" in parsed ? undefined : parsed.hint);
}

/** A place that is read: also `store:IMAGE`, by any of its names. Throws UserError, and ImageError for a short name that stays one. */
export async function sourceOf(word: string, context: Asking, names: Names): Promise<string> {
  return word.startsWith(STORE) ? storedPlace(word.slice(STORE.length), context) : placeOf(await names.full(word, "read"), context);
}

/** A place that is written. Throws as sourceOf. */
export async function targetOf(word: string, context: Asking, names: Names): Promise<string> {
  if (word.startsWith(STORE)) return `${STORE}${nameOf(word.slice(STORE.length), context)}`;
  return placeOf(await names.full(word, "write"), context);
}

/** An image of the store as a place. Throws UserError for none and for several. */
export async function storedPlace(word: string, context: Pick<Context, "cwd" | "host">): Promise<string> {
  const [found] = matchImages(word, await (await context.host.imageStore()).list(), context);
  return `${STORE}${found?.reference}`;
}

/** A place to look at: one without a transport is in the store, or else in its registry. Throws as sourceOf. */
export async function inspectable(word: string, context: Asking, names: Names): Promise<string> {
  if (hasTransport(word)) return sourceOf(word, context, names);
  try {
    return await storedPlace(word, context);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Several of the store: said; none of them: then its registry's.
    if (/means several/.test(error.message)) throw error;
    return inRegistry(await names.full(`docker://${word}`, "read"));
  }
}

/** A name in a registry, with or without docker://. Throws UserError (64). */
export function inRegistry(word: string): string {
  return `docker://${registryName(word, word.replace(/^docker:\/\//, ""))}`;
}

/** A repository, with or without docker://, as a place with a tag that does not matter. Throws as sourceOf. */
export async function repositoryOf(word: string, names: Names): Promise<string> {
  const name = word.replace(/^docker:\/\//, "");
  if (/@|:[^/]*$/.test(name) || hasTransport(name))
    throw new UserError(`${word} is not a repository alone`, EXIT.usage, "write docker://HOST/REPOSITORY");
  return inRegistry(await names.full(`docker://${name}`, "tags"));
}

/** True for a word that begins with one of the transports that are known. */
export function hasTransport(word: string): boolean {
  return [STORE, ...Object.keys(TRANSPORTS), ...Object.keys(REFUSED)].some((t) => word.startsWith(t));
}
