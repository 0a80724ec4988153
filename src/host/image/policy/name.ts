// Names of images as signatures and policies write them: completed as docker does, then compared as text. Pure.
import type { RegistryReference } from "../reference.js";

/** A name taken apart; without tag and digest it means a whole repository. */
export interface ImageName {
  /** Registry and repository: `docker.io/library/nginx`. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
/** Docker takes this for the id of an image, not for a repository of its hub. */
const ID = /^[0-9a-f]{64}$/;
const PATH_MAX = 255;

/** The name a signature has to be for. Where there is a digest, the tag beside it means nothing. */
export function nameOf({ host, repository, tag, digest }: RegistryReference): ImageName | undefined {
  return parseName(`${host}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`);
}

/** `nginx` is `docker.io/library/nginx`, as in distribution/reference; undefined for what is no name. */
export function parseName(text: string): ImageName | undefined {
  if (ID.test(text)) return undefined;
  const [front = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = front.indexOf(":", front.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : front.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const [host, path] = completed(colon < 0 ? front : front.slice(0, colon));
  if (!HOST.test(host) || !PATH.test(path) || path.length > PATH_MAX) return undefined;
  return { name: `${host}/${path}`, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function completed(name: string): [host: string, path: string] {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(0, slash));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const host = !isHost || first === "index.docker.io" ? "docker.io" : first;
  const path = isHost ? name.slice(slash + 1) : name;
  return [host, host === "docker.io" && !path.includes("/") ? `library/${path}` : path];
}

/** The name whole. */
export function nameText({ name, tag, digest }: ImageName): string {
  return `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** True for a name of a repository, without tag and digest. */
export function isRepository({ tag, digest }: ImageName): boolean {
  return tag === undefined && digest === undefined;
}

/** True for a registry, or a registry and a path in it: what names may begin with. */
export function isPrefix(text: string): boolean {
  const slash = text.indexOf("/");
  return slash < 0 ? HOST.test(text) : HOST.test(text.slice(0, slash)) && PATH.test(text.slice(slash + 1));
}
