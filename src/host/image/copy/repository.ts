// What registries say beside images: tags, catalogs, searches; and how a tag is removed (OCI distribution-spec 1.1, docker's v1 search).
import type { FoundImage } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { type Answer, discard } from "../http.js";
import { isObject, type Json, parseJson, strings } from "../json.js";
import { INDEX_TYPES, MANIFEST_TYPES } from "../manifest.js";
import { isDigest } from "../reference.js";
import type { RegistrySession } from "../session.js";

const LIST_MAX = 16 * 1024 * 1024;
/** Pages of one list: a registry that never ends is not believed. */
const PAGES_MAX = 10_000;
const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(", ");

/** All tags of the session's repository, sorted: not every registry does that. Throws ImageError. */
export async function listTags(session: RegistrySession): Promise<string[]> {
  return (await pages(session, "tags/list?n=1000", "tags", undefined)).sort();
}

/**
 * Removes what the session's reference names: a tag alone where the registry can do that, else the manifest, with all its tags.
 * Returns the digest that went. Throws ImageError image-refused where the registry deletes nothing.
 */
export async function remove(session: RegistrySession): Promise<string> {
  const { reference } = session;
  const name = reference.digest ?? reference.tag ?? "latest";
  const head = await session.open(`manifests/${name}`, { method: "HEAD", headers: { accept: ACCEPT } });
  discard(head);
  if (head.status === 404) throw new ImageError("image-not-found", reference.text, `${reference.text} is not in its registry`);
  const said = head.headers["docker-content-digest"];
  const digest = reference.digest ?? (typeof said === "string" && isDigest(said) ? said : undefined);
  if (reference.digest === undefined) {
    const answer = await session.open(`manifests/${name}`, { method: "DELETE", headers: {} });
    // Older registries know digests only, and say so in several ways.
    if (answer.status === 202 || answer.status === 200) return discarded(answer, digest ?? "");
    discard(answer);
  }
  if (digest === undefined)
    throw new ImageError(
      "image-refused",
      reference.text,
      `${reference.text}: the registry does not say its digest, by which it would be deleted`,
    );
  const answer = await session.open(`manifests/${digest}`, { method: "DELETE", headers: {} });
  if (answer.status === 202 || answer.status === 200) return discarded(answer, digest);
  if (answer.status === 404) throw new ImageError("image-not-found", reference.text, `${reference.text} is not in its registry`);
  const why = await session.reason(answer);
  const hint = "Many registries delete nothing by this way, or only where their configuration allows it (storage.delete.enabled).";
  throw new ImageError("image-refused", reference.text, `${reference.text}: the registry does not delete it (${why})`, hint);
}

function discarded(answer: Answer, digest: string): string {
  discard(answer);
  return digest;
}

/** Repositories that fit a term: by docker's v1 search where there is one, else by names of the catalog. Throws ImageError. */
export async function search(session: RegistrySession, catalog: RegistrySession, term: string, limit: number): Promise<FoundImage[]> {
  const words = new URLSearchParams({ q: term, n: String(limit) });
  const answer = await session.open(`/v1/search?${words}`, { method: "GET", headers: { accept: "application/json" } });
  const json = answer.status === 200 ? parseJson((await session.read(answer, LIST_MAX)) ?? new Uint8Array()) : undefined;
  if (answer.status !== 200) discard(answer);
  // The search of Docker Hub answers under another name.
  const { host } = catalog.reference;
  if (isObject(json) && Array.isArray(json["results"])) {
    return json["results"].flatMap((r) => found(host, r)).slice(0, limit);
  }
  const names = await pages(catalog, "/v2/_catalog?n=1000", "repositories", (name) => name.includes(term), limit);
  return names.map((name) => ({ registry: host, name: `${host}/${name}` }));
}

function found(host: string, result: Json): FoundImage[] {
  if (!isObject(result) || typeof result["name"] !== "string") return [];
  const { name, description, star_count: stars, is_official: official } = result;
  const whole = host === "docker.io" && !name.includes("/") ? `library/${name}` : name;
  return [
    {
      registry: host,
      name: `${host}/${whole}`,
      ...(typeof description === "string" && description !== "" ? { description } : {}),
      ...(typeof stars === "number" ? { stars } : {}),
      ...(typeof official === "boolean" ? { official } : {}),
    },
  ];
}

/** A list that comes in pages, each with a link to the next. */
async function pages(
  session: RegistrySession,
  first: string,
  key: string,
  fits: ((name: string) => boolean) | undefined,
  limit = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const { text } = session.reference;
  const all: string[] = [];
  const seen = new Set<string>();
  let path: string | undefined = first;
  while (path !== undefined && all.length < limit) {
    // A part of a list must not pass for the whole: who syncs would miss the rest in silence.
    const stuck = seen.has(path) ? "leads back to itself" : seen.size >= PAGES_MAX ? `has over ${PAGES_MAX} pages` : undefined;
    if (stuck !== undefined) throw new ImageError("image-bad", text, `${text}: its list of ${key} ${stuck}`);
    seen.add(path);
    const answer: Answer = await session.open(path, { method: "GET", headers: { accept: "application/json" } });
    if (answer.status !== 200) {
      const why = await session.reason(answer);
      throw new ImageError("image-not-found", text, `${text}: the registry has no list of ${key} (${why})`, "Check the name.");
    }
    const json = parseJson((await session.read(answer, LIST_MAX)) ?? new Uint8Array());
    // A repository without tags says null.
    const names = isObject(json) ? strings(json[key] ?? []) : undefined;
    if (names === undefined) throw new ImageError("image-bad", text, `${text}: what should be a list of ${key} is none`);
    all.push(...(fits === undefined ? names : names.filter(fits)));
    const next: string | undefined = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(String(answer.headers["link"] ?? ""))?.[1];
    if (next !== undefined && !URL.canParse(next, answer.url.href))
      throw new ImageError("image-bad", text, `${text}: its list of ${key} goes on at what is no address`);
    const url: URL | undefined = next === undefined ? undefined : new URL(next, answer.url);
    // The host is often the one that a registry behind a proxy knows itself by; nobody but the registry itself is asked.
    path = url === undefined ? undefined : `${url.pathname}${url.search}`;
  }
  return all.slice(0, limit);
}
