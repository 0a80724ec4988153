// Places of images as people name them, transport first: to names with absolute paths and whole references.
import { resolve } from "node:path";
import { formatImage, parseImage } from "../model/kube/image.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";

/** What each transport's name looks like, for messages. */
const TRANSPORTS: Readonly<Record<string, string>> = {
  "docker://": "docker://HOST/REPOSITORY[:TAG][@DIGEST], in a registry",
  "oci:": "oci:FOLDER[:NAME], a folder of the OCI image layout",
  "oci-archive:": "oci-archive:FILE[:NAME], a tar of one",
  "docker-archive:": "docker-archive:FILE[:NAME:TAG], as docker save writes it",
  "dir:": "dir:FOLDER, plain files",
};
/** Known by skopeo; why not here. */
const REFUSED: Readonly<Record<string, string>> = {
  "docker-daemon:": "podgen speaks with no daemon; docker save writes an archive",
  "containers-storage:": "podman's own store is not read yet; podman save writes an archive",
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
    const list = Object.values(TRANSPORTS).map((text) => `\n    ${text}`);
    throw new UserError(`${word} does not say where it is`, EXIT.usage, `begin it with its transport:${list.join("")}`);
  }
  const rest = word.slice(transport.length);
  if (transport === "docker://") return `${transport}${registryName(word, rest)}`;
  // The first colon ends a path, but a folder of plain files has no name behind it.
  const colon = transport === "dir:" ? -1 : rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path === "") throw new UserError(`${word} names no file`, EXIT.usage, TRANSPORTS[transport]);
  const name = colon < 0 ? "" : rest.slice(colon);
  if (transport === "docker-archive:" && name !== "" && !/^:(?:@\d+|[^:@]+(?::\d+\/[^:@]+)?:[\w][\w.-]{0,127})$/.test(name))
    throw new UserError(`${word}: the name in an archive is NAME:TAG, or @N for its Nth image`, EXIT.usage);
  return `${transport}${resolve(context.cwd, path)}${name}`;
}

function registryName(word: string, name: string): string {
  const parsed = parseImage(name);
  if ("image" in parsed && parsed.image.kind === "registry") return formatImage(parsed.image);
  const problem = "image" in parsed ? "is no name in a registry" : parsed.problem;
  throw new UserError(`${word} ${problem}`, EXIT.usage, "image" in parsed ? undefined : parsed.hint);
}

/** A place to look at: one without a transport is in its registry. Throws UserError (64). */
export function inspectable(word: string, context: Pick<Context, "cwd">): string {
  return hasTransport(word) ? placeOf(word, context) : `docker://${registryName(word, word)}`;
}

/** A repository, with or without docker://, as a place with a tag that does not matter. Throws UserError (64). */
export function repositoryOf(word: string, context: Pick<Context, "cwd">): string {
  const name = word.replace(/^docker:\/\//, "");
  if (/@|:[^/]*$/.test(name) || hasTransport(name))
    throw new UserError(`${word} is not a repository alone`, EXIT.usage, "write docker://HOST/REPOSITORY");
  return inspectable(name, context);
}

function hasTransport(word: string): boolean {
  return [...Object.keys(TRANSPORTS), ...Object.keys(REFUSED)].some((t) => word.startsWith(t));
}
