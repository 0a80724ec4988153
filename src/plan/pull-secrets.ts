// imagePullSecrets: from the Secrets a pod names to logins for its images (core/v1, "imagePullSecrets"). Pure.
import type { Diagnostic } from "../base/diagnostic.js";
import { normaliseKey, type RegistryLogin, readEntry } from "../base/registry-login.js";
import type { PodModel, PullSecretRef, SecretModel } from "../model/types.js";
import { accountKey } from "./accounts.js";
import type { PodContext } from "./context.js";
import { findData, type Objects } from "./objects.js";

/** Type of Secret -> its key, and whether the entries are below `auths` there. */
const TYPES: Readonly<Record<string, { readonly key: string; readonly auths: boolean }>> = {
  "kubernetes.io/dockerconfigjson": { key: ".dockerconfigjson", auths: true },
  "kubernetes.io/dockercfg": { key: ".dockercfg", auths: false },
};

/** The pod's logins, in the order of its Secrets. No message holds anything of a Secret's value. */
export function pullLogins(pod: PodModel, objects: Objects): { logins: RegistryLogin[]; diagnostics: Diagnostic[] } {
  const logins: RegistryLogin[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const ref of pod.imagePullSecrets ?? []) {
    const found = readSecret(ref, objects.secrets.get(ref.name));
    if ("message" in found) diagnostics.push(found);
    else logins.push(...found.logins);
  }
  return { logins, diagnostics };
}

/** Marks the Secrets as the pod's own, so that they stay as long as it does; one that is not there is an error. */
export function keepPullSecrets(context: PodContext): void {
  if (context.pod.account !== undefined) context.used.add(accountKey(context.pod.account));
  for (const { name, at } of context.pod.imagePullSecrets ?? []) findData(context, { kind: "secret", name, optional: false }, at);
}

function readSecret(ref: PullSecretRef, secret: SecretModel | undefined): { logins: RegistryLogin[] } | Diagnostic {
  const bad = (code: string, message: string, hint: string): Diagnostic => ({
    code,
    severity: "error",
    message,
    at: ref.at,
    length: ref.name.length,
    hint,
  });
  if (secret === undefined)
    return bad("missing-object", `there is no Secret "${ref.name}"`, "apply the Secret before the pod, or in the same file");
  const type = TYPES[secret.type];
  if (type === undefined)
    return bad(
      "bad-pull-secret",
      `the Secret "${ref.name}" is of type ${secret.type}, which holds no logins`,
      `its type must be ${Object.keys(TYPES).join(" or ")}`,
    );
  const broken = (what: string): Diagnostic =>
    bad("bad-pull-secret", `the Secret "${ref.name}": its key "${type.key}" ${what}`, "kubectl create secret docker-registry makes one");
  const json = parse(secret.data.get(type.key));
  const entries = type.auths ? record(json)?.["auths"] : json;
  const auths = record(entries);
  if (auths === undefined) return broken(type.auths ? 'is not JSON with an object "auths"' : "is not a JSON object");
  const logins: RegistryLogin[] = [];
  for (const [key, entry] of Object.entries(auths)) {
    const login = readEntry(entry);
    if (login === "broken" || login === undefined) return broken("has an entry without user name and password");
    logins.push({ key: normaliseKey(key), ...login });
  }
  return { logins };
}

function parse(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()));
  } catch {
    // The parser's message quotes the text, which is a secret.
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
