// Which requirements of the policy count for an image, and whether it may be fetched (containers-policy.json(5)).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import type { Reference } from "../reference.js";
import { type Policy, parsePolicy, type Requirement } from "./parse.js";

/** What a policy is asked about; a `dir:` is no reference that a pod could have. */
export type Subject = Reference | { readonly kind: "dir"; readonly text: string; readonly path: string; readonly name?: string };

type Env = Readonly<Record<string, string | undefined>>;

/** The user's file, else the system's. */
export function policyFiles(env: Env, root = ""): string[] {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  return [...(config === undefined ? [] : [join(config, "containers/policy.json")]), `${root}/etc/containers/policy.json`];
}

/**
 * Throws unless the policy lets this image through: image-refused where it says no or wants a signature, image-config where it
 * cannot be understood. Where there is no policy at all anything may be fetched (podgen-registries(5)).
 */
export async function checkPolicy(reference: Subject, env: Env, root = ""): Promise<void> {
  for (const file of policyFiles(env, root)) {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw new ImageError("image-config", file, `${file}: cannot be read (${error.code ?? error.message})`);
    });
    if (bytes === undefined) continue;
    const { scope, requirements } = requirementsFor(parsePolicy(bytes, file), reference);
    const at = `${file}, ${scope === undefined ? '"default"' : JSON.stringify(scope)}`;
    for (const requirement of requirements) refuse(requirement, reference, at);
    return;
  }
}

function refuse(requirement: Requirement, { text }: Subject, at: string): void {
  if (requirement === "insecureAcceptAnything") return;
  const signed = requirement !== "reject";
  throw new ImageError(
    "image-refused",
    text,
    signed
      ? `${text}: the policy wants a signature (${requirement}), and podgen can verify none (${at})`
      : `${text}: the policy rejects it (${at})`,
    signed
      ? "Have skopeo or podman, which verify signatures, copy it to an OCI layout, and allow that layout in the policy."
      : "Change the policy (containers-policy.json(5)), or use an image that it allows.",
  );
}

/** The most specific scope that has requirements, then the transport's "", then the default. Pure. */
export function requirementsFor(policy: Policy, reference: Subject): { scope: string | undefined; requirements: readonly Requirement[] } {
  const scopes = policy.transports.get(reference.kind === "registry" ? "docker" : reference.kind);
  for (const scope of [...scopesOf(reference), ""]) {
    const requirements = scopes?.get(scope);
    if (requirements !== undefined) return { scope, requirements };
  }
  return { scope: undefined, requirements: policy.default };
}

/** Of a registry: the whole name, the repository, its namespaces, the host, `*.domain` of each length. Of a layout or a `dir:`: its path and those above. */
export function scopesOf(reference: Subject): string[] {
  if (reference.kind === "docker-archive") return [];
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
