// Image references as the model gives them, taken apart; nothing is guessed or completed here.
import { parseStoredName, type StoredName } from "../../base/containers-storage.js";
import { ImageError } from "../../ports/images.js";

export interface RegistryReference {
  readonly kind: "registry";
  readonly text: string;
  /** `docker.io`, `127.0.0.1:5000`, `[::1]:5000` */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** A folder in the OCI image layout, or a tar of one; `name` is the annotation org.opencontainers.image.ref.name. */
export interface LayoutReference {
  readonly kind: "oci" | "oci-archive";
  readonly text: string;
  readonly path: string;
  readonly name?: string;
}

/** A tar as `docker save` writes it; `name` is one of its RepoTags, `@N` its Nth image. */
export interface ArchiveReference {
  readonly kind: "docker-archive";
  readonly text: string;
  readonly path: string;
  readonly name?: string;
}

/** An image of podman's store. */
export interface PodmanReference {
  readonly kind: "containers-storage";
  readonly text: string;
  readonly name: StoredName;
  /** What policy.json may call it, the most specific first; known once it is found. */
  readonly scopes?: readonly string[];
}

export type Reference = RegistryReference | LayoutReference | ArchiveReference | PodmanReference;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
// The grammar of distribution/reference: host, repository, tag.
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** True for `sha256:` and 64 lower-case hex digits, the only digests podgen verifies. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The hex half of a digest; throws on anything else, so that what comes out is always a safe file name. */
export function hexOf(digest: string): string {
  if (!isDigest(digest)) throw new Error(`not a sha256 digest: ${JSON.stringify(digest)}`);
  return digest.slice(7);
}

export const PODMAN = "containers-storage:";

/**
 * `oci:/dir[:name]`, `oci-archive:/file[:name]`, `docker-archive:/file[:name]`, `containers-storage:name`, `host/repository[:tag][@digest]`.
 * Throws ImageError image-bad.
 */
export function parseReference(text: string): Reference {
  if (text.startsWith(PODMAN)) {
    const name = parseStoredName(text.slice(PODMAN.length));
    if (!("problem" in name)) return { kind: "containers-storage", text, name };
    throw new ImageError("image-bad", text, `${text} ${name.problem}`, name.hint);
  }
  for (const kind of ["oci", "oci-archive", "docker-archive"] as const) {
    if (text.startsWith(`${kind}:`)) return parseLocal(kind, text);
  }
  return parseRegistry(text);
}

function parseLocal(kind: "oci" | "oci-archive" | "docker-archive", text: string): LayoutReference | ArchiveReference {
  const rest = text.slice(kind.length + 1);
  // As in containers-transports(5) the first colon ends the path; what follows may have colons of its own.
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? "" : rest.slice(colon + 1);
  if (!path.startsWith("/") || path.includes("\0")) throw bad(text, `the path after "${kind}:" must be absolute`);
  return { kind, text, path, ...(name === "" ? {} : { name }) };
}

function parseRegistry(text: string): RegistryReference {
  const slash = text.indexOf("/");
  if (slash < 0) throw bad(text, "it has no registry", "Write the full name, docker.io/library/NAME:TAG for example.");
  const host = text.slice(0, slash);
  let rest = text.slice(slash + 1);
  let digest: string | undefined;
  const at = rest.indexOf("@");
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!isDigest(digest)) throw bad(text, "its digest is not sha256 and 64 hex digits");
  }
  const colon = rest.indexOf(":");
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!HOST.test(host)) throw bad(text, `"${host}" is not a registry's name`);
  if (!REPOSITORY.test(repository)) throw bad(text, `"${repository}" is not a repository's name (lower case, parted by "/")`);
  if (tag !== undefined && !TAG.test(tag)) throw bad(text, `"${tag}" is not a tag`);
  if (tag === undefined && digest === undefined) throw bad(text, "it has neither a tag nor a digest");
  return { kind: "registry", text, host, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function bad(text: string, why: string, hint?: string): ImageError {
  return new ImageError("image-bad", text, `${text} is no image reference: ${why}`, hint);
}
