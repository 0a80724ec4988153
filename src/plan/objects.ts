// ConfigMaps and Secrets: found by name among this apply's and earlier ones', and kept for later ones.
import type { Diagnostic, Location } from "../base/diagnostic.js";
import type { Paths } from "../base/facts.js";
import type { ClaimModel, ConfigMapModel, Model, SecretModel, ServiceAccountModel } from "../model/types.js";
import type { Accounts } from "./accounts.js";
import { type PodContext, refuse } from "./context.js";
import { digestOf, keyedDigestOf } from "./digest.js";
import type { Plan } from "./types.js";

/** Objects of earlier applies, by name. */
export interface AppliedObjects {
  readonly configMaps: ReadonlyMap<string, ConfigMapModel>;
  readonly secrets: ReadonlyMap<string, SecretModel>;
  readonly claims: ReadonlyMap<string, ClaimModel>;
  /** Absent: none. */
  readonly accounts?: Accounts;
}

export const NO_OBJECTS: AppliedObjects = { configMaps: new Map(), secrets: new Map(), claims: new Map() };

/** All objects a pod may refer to. */
export type Objects = AppliedObjects;

/** This apply's objects before those of earlier ones. */
export function allObjects(model: Model, applied: AppliedObjects): Objects {
  return {
    configMaps: new Map([...applied.configMaps, ...model.configMaps.map((o) => [o.name, o] as const)]),
    secrets: new Map([...applied.secrets, ...model.secrets.map((o) => [o.name, o] as const)]),
    claims: new Map([...applied.claims, ...model.claims.map((o) => [o.name, o] as const)]),
  };
}

/**
 * The data of a ConfigMap or Secret; undefined when there is none, which is an error at `at` unless the reference is
 * optional.
 */
export function findData(
  context: PodContext,
  ref: { readonly kind: "configMap" | "secret"; readonly name: string; readonly optional: boolean },
  at: Location,
): ReadonlyMap<string, Uint8Array> | undefined {
  const object = ref.kind === "configMap" ? context.objects.configMaps.get(ref.name) : context.objects.secrets.get(ref.name);
  if (object !== undefined) context.used.add(`${object.kind}/${object.name}`);
  if (object === undefined && !ref.optional) {
    const kind = ref.kind === "configMap" ? "ConfigMap" : "Secret";
    refuse(context, "missing-object", at, `there is no ${kind} "${ref.name}"`, `apply the ${kind} before the pod, or in the same file`);
  }
  return object?.data;
}

/**
 * Puts a secret's value into the store and returns its path there. The path holds a digest of the value, so that a
 * changed value changes exactly the bundles that use it; bundles and diffs are shown around, so it is one that only
 * this machine can make. Without a key nothing is installed (generate), and the path says nothing of the value.
 */
export function storeSecret(context: PodContext, name: string, key: string, value: Uint8Array): string {
  const { secretKey, facts } = context;
  const digest = secretKey === undefined ? digestOf(name, key) : keyedDigestOf(secretKey, name, key, value);
  const path = `${facts.paths.data}/secrets/${name}/${digest.slice(0, 32)}/${key}`;
  context.data.set(path, { path, bytes: value, mode: 0o600, secret: true });
  return path;
}

interface StoredObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly immutable?: true;
  /** Base64 by key; a claim has none. */
  readonly data?: Readonly<Record<string, string>>;
  /** Of a ServiceAccount: names of the Secrets with its logins. */
  readonly pullSecrets?: readonly string[];
  readonly claim?: Pick<ClaimModel, "accessModes" | "storage" | "storageClassName" | "owner">;
}

/** The object's file. Its place in the source is left out: a comment above it changes no byte. */
export function planObject(
  paths: Paths,
  object: ConfigMapModel | SecretModel | ClaimModel | ServiceAccountModel,
): Omit<Plan["objects"][number], "source"> {
  const stored: StoredObject = {
    kind: object.kind,
    name: object.name,
    namespace: object.namespace,
    labels: sorted(object.labels),
    annotations: sorted(object.annotations),
    ...(object.kind === "Secret" ? { type: object.type } : {}),
    ...ownOf(object),
  };
  return {
    key: `${object.kind}/${object.name}`,
    path: `${paths.state}/objects/${object.kind}-${object.name}.json`,
    bytes: new TextEncoder().encode(`${JSON.stringify(stored, null, 1)}\n`),
    mode: 0o600,
    secret: object.kind === "Secret",
  };
}

function ownOf(object: ConfigMapModel | SecretModel | ClaimModel | ServiceAccountModel): Partial<StoredObject> {
  if (object.kind === "PersistentVolumeClaim") return { claim: claimOf(object) };
  return object.kind === "ServiceAccount" ? { pullSecrets: object.imagePullSecrets.map((s) => s.name) } : contentOf(object);
}

function contentOf({ data, immutable }: ConfigMapModel | SecretModel): Pick<StoredObject, "immutable" | "data"> {
  const texts = [...data].map(([key, bytes]) => [key, Buffer.from(bytes).toString("base64")]);
  return { ...(immutable ? { immutable: true } : {}), data: sorted(Object.fromEntries(texts)) };
}

function claimOf({ accessModes, storage, storageClassName, owner }: ClaimModel): NonNullable<StoredObject["claim"]> {
  return {
    accessModes,
    ...(storage === undefined ? {} : { storage }),
    ...(storageClassName === undefined ? {} : { storageClassName }),
    ...(owner === undefined ? {} : { owner: { uid: owner.uid, gid: owner.gid } }),
  };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Objects of earlier applies from the bytes of their files, by manifest key (`ConfigMap/name`). Throws on a damaged
 * file, naming the key: to guess would start containers with wrong settings.
 */
export function parseAppliedObjects(files: ReadonlyMap<string, Uint8Array>): AppliedObjects {
  const configMaps = new Map<string, ConfigMapModel>();
  const secrets = new Map<string, SecretModel>();
  const claims = new Map<string, ClaimModel>();
  const accounts = new Map<string, ServiceAccountModel>();
  for (const [key, bytes] of files) {
    const stored = parseStored(key, bytes);
    const at = { file: key, line: 1, column: 1 };
    const data = new Map(Object.entries(stored.data ?? {}).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]));
    const { name, namespace, labels, annotations } = stored;
    const common = { name, namespace, labels, annotations, at, data, ...(stored.immutable ? { immutable: true } : {}) };
    const { claim, pullSecrets } = stored;
    if (pullSecrets !== undefined) accounts.set(name, accountOf(stored, pullSecrets, at));
    else if (claim !== undefined) claims.set(name, { kind: "PersistentVolumeClaim", name, namespace, labels, annotations, at, ...claim });
    else if (stored.kind === "ConfigMap") configMaps.set(name, { kind: "ConfigMap", ...common });
    else secrets.set(name, { kind: "Secret", ...common, type: stored.type ?? "Opaque" });
  }
  return { configMaps, secrets, claims, accounts };
}

function accountOf(stored: StoredObject, pullSecrets: readonly string[], at: Location): ServiceAccountModel {
  const { name, namespace, labels, annotations } = stored;
  return {
    kind: "ServiceAccount",
    name,
    namespace,
    labels,
    annotations,
    at,
    imagePullSecrets: pullSecrets.map((secret) => ({ name: secret, at })),
  };
}

function parseStored(key: string, bytes: Uint8Array): StoredObject {
  try {
    const stored = JSON.parse(new TextDecoder().decode(bytes)) as StoredObject;
    if (`${stored.kind}/${stored.name}` === key && typeof (stored.data ?? stored.claim ?? stored.pullSecrets) === "object") return stored;
  } catch {
    // The parser's message quotes the text, which may be a secret: it is not passed on.
  }
  throw new Error(`the stored object ${key} is damaged; apply it again`);
}

/** An object that was applied as immutable keeps its data until it is deleted, as in Kubernetes. */
export function checkImmutable(model: Model, applied: AppliedObjects): Diagnostic[] {
  return [...model.configMaps, ...model.secrets].flatMap((object): Diagnostic[] => {
    const before = object.kind === "ConfigMap" ? applied.configMaps.get(object.name) : applied.secrets.get(object.name);
    if (!before?.immutable || (object.immutable && sameData(before.data, object.data))) return [];
    const message = `${object.kind} "${object.name}" is immutable and would change`;
    const hint = `give the changed one another name, or delete the pods that use "${object.name}" first`;
    return [{ code: "immutable-object", severity: "error", message, at: object.at, hint }];
  });
}

function sameData(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return a.size === b.size && [...a].every(([key, bytes]) => Buffer.compare(bytes, b.get(key) ?? new Uint8Array()) === 0 && b.has(key));
}
