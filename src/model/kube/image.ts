// Image references: `registry/repository[:tag][@digest]`, `oci:/folder[:ref]`, `docker-archive:/file[:ref]`, `containers-storage:name`.
import { parseStoredName } from "../../base/containers-storage.js";
import type { Problem } from "../../spec/report.js";

export type ImageReference =
  | { readonly kind: "registry"; readonly registry: string; readonly repository: string; readonly tag?: string; readonly digest?: string }
  | { readonly kind: "oci" | "docker-archive"; readonly path: string; readonly ref?: string }
  | { readonly kind: "containers-storage"; readonly ref: string };

/** `short`: all is well but that the registry is missing; the name with its tag or digest, `nginx:latest`. */
export type ParsedImage = { readonly image: ImageReference } | (Problem & { readonly short?: string });

// The grammar is that of github.com/distribution/reference: a domain, then path components, a tag, a digest.
const DOMAIN =
  /^(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*)(?::([0-9]{1,5}))?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** The only digests podgen verifies. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** A name, or `@N` for the Nth image of an archive. */
const LOCAL_REF = /^[A-Za-z0-9_@][A-Za-z0-9_.\-/:@+]{0,254}$/;
const MAX_NAME = 255;
const PODMAN = "containers-storage:";

function bad(problem: string, hint?: string): Problem {
  return { problem, code: "bad-image", ...(hint === undefined ? {} : { hint }) };
}

/** The parts of a reference, or what is wrong with it (codes bad-image, short-image). */
export function parseImage(text: string): ParsedImage {
  if (text === "") return bad("is empty");
  if (/\s/.test(text)) return bad("contains white space");
  if (text.startsWith(PODMAN)) return parsePodman(text.slice(PODMAN.length));
  const local = /^(oci|docker-archive):(.*)$/s.exec(text);
  // `oci:5000/x` cannot be a registry called oci: the rest of a transport is a path.
  if (local !== null) return parseLocal(local[1] as "oci" | "docker-archive", local[2] ?? "");
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//.exec(text)?.[0];
  if (scheme !== undefined) return bad(`starts with ${scheme}, which image references do not have`, `write ${text.slice(scheme.length)}`);
  return parseRemote(text);
}

/** An image of podman's store, as it was written: which names it may stand for is known where the store is. */
function parsePodman(ref: string): ParsedImage {
  const parsed = parseStoredName(ref);
  return "problem" in parsed ? bad(parsed.problem, parsed.hint) : { image: { kind: "containers-storage", ref } };
}

/** Path and reference part at the first colon, as skopeo has them: the path cannot hold one. */
function parseLocal(kind: "oci" | "docker-archive", rest: string): ParsedImage {
  const colon = rest.indexOf(":");
  const path = (colon < 0 ? rest : rest.slice(0, colon)).replace(/(.)\/+$/, "$1");
  const ref = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!path.startsWith("/")) return bad(`needs an absolute path after ${kind}:`, `write ${kind}:/…`);
  if (path.split("/").includes("..")) return bad('may not contain ".." in its path');
  if (ref !== undefined && !LOCAL_REF.test(ref)) return bad(`has no valid reference after ${kind}:${path}:`);
  return { image: { kind, path, ...(ref === undefined ? {} : { ref }) } };
}

function parseRemote(text: string): ParsedImage {
  const [rest = "", digest, ...more] = text.split("@");
  if (more.length > 0) return bad("has more than one @");
  if (digest !== undefined && !DIGEST.test(digest))
    return bad("has no valid digest after @: sha256: and 64 hexadecimal digits in lower case");
  const slash = rest.indexOf("/");
  const domain = slash < 0 ? "" : rest.slice(0, slash);
  const named = slash >= 0 && (/[.:]/.test(domain) || domain === "localhost" || domain !== domain.toLowerCase());
  const colon = rest.lastIndexOf(":");
  const tagged = colon > rest.lastIndexOf("/");
  const tag = tagged ? rest.slice(colon + 1) : undefined;
  const name = (tagged ? rest.slice(0, colon) : rest).slice(named ? slash + 1 : 0);
  if (tag !== undefined && !TAG.test(tag))
    return bad(tag === "" ? "has an empty tag" : "has no valid tag: letters, digits, _ . and -, 128 at most");
  const problem = nameProblem(text, name);
  if (problem !== undefined) return problem;
  const ending = `${tag === undefined ? (digest === undefined ? ":latest" : "") : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  if (!named)
    return {
      problem: "does not say which registry it is from",
      code: "short-image",
      short: `${name}${ending}`,
      hint: `write ${dockerName(`${name}${ending}`)}`,
    };
  const port = DOMAIN.exec(domain)?.[1];
  if (!DOMAIN.test(domain) || (port !== undefined && (Number(port) > 65535 || Number(port) === 0)))
    return bad("has no valid registry before the first /");
  if (domain.length + 1 + name.length > MAX_NAME) return bad(`has a name longer than ${MAX_NAME} characters`);
  const hub = domain === "index.docker.io" || domain === "docker.io";
  return {
    image: {
      kind: "registry",
      registry: hub ? "docker.io" : domain,
      repository: hub && !name.includes("/") ? `library/${name}` : name,
      ...(tag !== undefined ? { tag } : digest === undefined ? { tag: "latest" } : {}),
      ...(digest === undefined ? {} : { digest }),
    },
  };
}

function nameProblem(text: string, name: string): Problem | undefined {
  if (name.split("/").every((part) => COMPONENT.test(part))) return undefined;
  const lower = name.toLowerCase();
  if (lower !== name && lower.split("/").every((part) => COMPONENT.test(part)))
    return bad("has upper-case letters in its name", `write ${text.replace(name, lower)}`);
  return bad("is not an image reference: registry/repository:tag");
}

/** The format check of `image` fields. What a short name stands for is not the model's to say: registries.conf of the machine does. */
export function imageReference(text: string): Problem | undefined {
  const parsed = parseImage(text);
  return "image" in parsed || parsed.short !== undefined ? undefined : parsed;
}

/** The short name that a container's image still is, as the machine's files are asked for it; undefined for a full reference. */
export function shortImage(image: string): string | undefined {
  const parsed = parseImage(image);
  return "image" in parsed ? undefined : parsed.short;
}

/** A full reference for a short name: what docker would take it for. */
export function dockerName(short: string): string {
  return `docker.io/${/^[^:@]*\//.test(short) ? "" : "library/"}${short}`;
}

/** One way to write each reference: registry and tag are spelt out; a reference with a digest and no tag stays without. */
export function formatImage(image: ImageReference): string {
  if (image.kind === "containers-storage") return `${PODMAN}${image.ref}`;
  if (image.kind !== "registry") return `${image.kind}:${image.path}${image.ref === undefined ? "" : `:${image.ref}`}`;
  const tag = image.tag === undefined ? "" : `:${image.tag}`;
  return `${image.registry}/${image.repository}${tag}${image.digest === undefined ? "" : `@${image.digest}`}`;
}

/** Kubernetes' default of imagePullPolicy: Always for `latest` and for no tag, IfNotPresent for other tags and for digests. */
export function defaultPullPolicy(image: ImageReference | { readonly kind: "short"; readonly text: string }): "Always" | "IfNotPresent" {
  if (image.kind === "short") return image.text.endsWith(":latest") ? "Always" : "IfNotPresent";
  // It is looked at each time, and nothing is fetched.
  if (image.kind === "containers-storage") return "IfNotPresent";
  if (image.kind === "registry") return image.digest === undefined && image.tag === "latest" ? "Always" : "IfNotPresent";
  return image.ref === undefined || /(?:^|:)latest$/.test(image.ref) ? "Always" : "IfNotPresent";
}
