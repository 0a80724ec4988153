// The scopes an image is in, most specific first: what policy.json and registries.d are keyed by. Pure.
import type { Reference } from "./reference.js";

/** What a policy is asked about; a `dir:` is no reference that a pod could have. */
export type Subject = Reference | { readonly kind: "dir"; readonly text: string; readonly path: string; readonly name?: string };

/** Of a registry: the whole name, the repository, its namespaces, the host, `*.domain` of each length. Of a layout or a `dir:`: its path and those above. */
export function scopesOf(reference: Subject): string[] {
  if (reference.kind === "docker-archive") return [];
  if (reference.kind === "containers-storage") return [...(reference.scopes ?? [])];
  if (reference.kind !== "registry") {
    const parts = reference.path.split("/").filter((p) => p !== "");
    const above = parts.map((_, i) => `/${parts.slice(0, parts.length - i).join("/")}`);
    // The root itself is no scope: "" stands for it.
    return [...(reference.name === undefined ? [] : [`${reference.path}:${reference.name}`]), ...above];
  }
  const { host, repository, tag, digest } = reference;
  const parts = repository.split("/");
  const spaces = parts.map((_, i) => `${host}/${parts.slice(0, parts.length - i).join("/")}`);
  const labels = host.replace(/:\d+$/, "").split(".");
  const wild = labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join(".")}`);
  return [`${host}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`, ...spaces, host, ...wild];
}
