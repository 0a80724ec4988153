// Which requirements of the policy count for an image (containers-policy.json(5)).
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ImageError } from "../../../ports/images.js";
import { type Subject, scopesOf } from "../scopes.js";
import type { Policy } from "./parse.js";
import type { Requirement, SignatureRequirement } from "./requirement.js";
import type { Demand } from "./verify.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The user's file, else the system's. */
export function policyFiles(env: Env, root = ""): string[] {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  return [...(config === undefined ? [] : [join(config, "containers/policy.json")]), `${root}/etc/containers/policy.json`];
}

/** Only these have a place for signatures. */
const SIGNABLE = ["registry", "dir"];

/**
 * What the signatures of this image have to fulfil; undefined: nothing. Throws image-refused where the policy says no, or wants a
 * signature of what can have none, image-config where it cannot be understood. Where there is no policy at all anything may be fetched
 * (podgen-registries(5)).
 */
export async function demandFor(reference: Subject, env: Env, root = ""): Promise<Demand | undefined> {
  for (const file of policyFiles(env, root)) {
    const bytes = readPolicy(file);
    if (bytes === undefined) continue;
    const { parsePolicy } = await import("./parse.js");
    const { scope, requirements } = requirementsFor(parsePolicy(bytes, file), reference);
    return demandOf(requirements, reference, `${file}, ${scope === undefined ? '"default"' : JSON.stringify(scope)}`);
  }
  return undefined;
}

/** At once: of every image of an apply this is asked. Undefined where there is no such file. */
function readPolicy(file: string): Uint8Array | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ImageError("image-config", file, `${file}: cannot be read (${code ?? message})`);
  }
}

function demandOf(all: readonly Requirement[], { text, kind }: Subject, at: string): Demand | undefined {
  if (all.some(({ type }) => type === "reject")) {
    const hint = "Change the policy (containers-policy.json(5)), or use an image that it allows.";
    throw new ImageError("image-refused", text, `${text}: the policy rejects it (${at})`, hint);
  }
  const requirements = all.filter((requirement): requirement is SignatureRequirement => "identity" in requirement);
  const [first] = requirements;
  if (first === undefined) return undefined;
  if (SIGNABLE.includes(kind)) return { requirements, at };
  throw new ImageError(
    "image-refused",
    text,
    `${text}: the policy wants a signature (${first.type}), and ${kind}: has none to show (${at})`,
    "Have the image in a registry or a dir:, which can hold signatures, or allow this place in the policy.",
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
