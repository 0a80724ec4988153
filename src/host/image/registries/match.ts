// Where a reference is really had from: the entry that counts for it, its mirrors, and the names there. Pure.
import { ImageError } from "../../../ports/images.js";
import { parseReference, type RegistryReference } from "../reference.js";
import { configError, type Registries, type RegistryEntry } from "./types.js";

export interface Endpoint {
  /** The name there; `text` is what people wrote. */
  readonly reference: RegistryReference;
  readonly insecure: boolean;
  /** False: the primary location, the last of all. */
  readonly mirror: boolean;
}

/** How much of a reference an entry's prefix covers; 0: it is not about it. */
function covered(reference: string, prefix: string): number {
  if (prefix.startsWith("*.")) {
    const end = hostEnd(reference);
    const host = reference.slice(0, end);
    const domain = prefix.slice(1);
    const bare = domain.includes(":") ? host : host.replace(/:\d+$/, "");
    return bare.endsWith(domain) && bare.length > domain.length ? bare.length : 0;
  }
  if (!reference.startsWith(prefix)) return 0;
  const next = reference[prefix.length];
  // A host without a port is not the same host with one.
  if (next === ":" && !prefix.includes("/")) return 0;
  return next === undefined || next === "/" || next === ":" || next === "@" ? prefix.length : 0;
}

function hostEnd(reference: string): number {
  const slash = reference.indexOf("/");
  return slash < 0 ? reference.length : slash;
}

/** The entry with the longest match; a written-out prefix before a wildcard of the same length. */
export function entryFor(reference: string, registries: Registries): RegistryEntry | undefined {
  let best: { entry: RegistryEntry; length: number } | undefined;
  for (const entry of registries.entries) {
    const length = covered(reference, entry.prefix);
    const better = length > (best?.length ?? 0) || (length > 0 && length === best?.length && best.entry.prefix.startsWith("*."));
    if (better) best = { entry, length };
  }
  return best?.entry;
}

/**
 * Mirrors that serve this kind of reference, in their order, then the primary location. Throws ImageError image-refused for a
 * blocked one, image-config where a location makes no valid name.
 */
export function endpointsFor(reference: RegistryReference, registries: Registries): Endpoint[] {
  // Of tag and digest together the digest counts, as in the request itself.
  const name = `${reference.host}/${reference.repository}${reference.digest === undefined ? `:${reference.tag}` : `@${reference.digest}`}`;
  const entry = entryFor(name, registries);
  if (entry === undefined) return [{ reference, insecure: false, mirror: false }];
  if (entry.blocked) {
    const hint = "Take blocked away there, or use another registry.";
    throw new ImageError("image-refused", reference.text, `${reference.text}: registries.conf blocks ${entry.prefix}`, hint);
  }
  const length = covered(name, entry.prefix);
  const at = (location: string) => renamed(reference, location + name.slice(length), entry.prefix);
  const wanted = entry.mirrors.filter((m) => m.pull === "all" || (m.pull === "digest-only") === (reference.digest !== undefined));
  return [
    ...wanted.map((m) => ({ reference: at(m.location), insecure: m.insecure, mirror: true })),
    { reference: entry.location === undefined ? reference : at(entry.location), insecure: entry.insecure, mirror: false },
  ];
}

function renamed(reference: RegistryReference, name: string, prefix: string): RegistryReference {
  const parsed = (() => {
    try {
      return parseReference(name);
    } catch (cause) {
      throw configError(
        "registries.conf",
        `the entry for ${prefix} makes ${name} of ${reference.text}, which is no name of an image`,
        String(cause instanceof Error ? cause.message : cause),
      );
    }
  })();
  if (parsed.kind !== "registry") throw configError("registries.conf", `the entry for ${prefix} makes ${name} of ${reference.text}`);
  return { ...parsed, text: reference.text };
}
