// One requirement of policy.json, every member of it known or refused (containers-policy.json(5)). Pure.
import { base64 } from "../base64.js";
import { isObject, type Json, printable } from "../json.js";
import { type Identity, readIdentity } from "./identity.js";

/** Keys by the files that hold them, or as they are. */
export interface KeySource {
  readonly paths: readonly string[];
  readonly datas: readonly Uint8Array[];
}

/** Signed with an OpenPGP key, "simple signing" (containers-signature(5)). */
export interface SignedBy {
  readonly type: "signedBy";
  readonly keyType: string;
  readonly keys: KeySource;
  readonly identity: Identity;
}

/** Signed as cosign does. Without `keys` by a certificate of `by`. */
export interface SigstoreSigned {
  readonly type: "sigstoreSigned";
  readonly keys?: KeySource;
  readonly by?: "fulcio" | "pki";
  /** Keys of the transparency log that has to know the signature. */
  readonly rekor?: KeySource;
  readonly identity: Identity;
}

export type SignatureRequirement = SignedBy | SigstoreSigned;
export type Requirement = { readonly type: "insecureAcceptAnything" | "reject" } | SignatureRequirement;

const GPG_KEYS = ["keyPath", "keyPaths", "keyData"];
const SIGSTORE_KEYS = [...GPG_KEYS, "keyDatas"];
const REKOR_KEYS = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];
const AUTHORITIES = ["fulcio", "pki"] as const;
/** Those that the format knows; podgen, like skopeo, can verify the first alone. */
const KEY_TYPES = ["GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"];

const MEMBERS: Readonly<Record<Requirement["type"], readonly string[]>> = {
  insecureAcceptAnything: [],
  reject: [],
  signedBy: ["keyType", ...GPG_KEYS, "signedIdentity"],
  sigstoreSigned: [...SIGSTORE_KEYS, ...AUTHORITIES, ...REKOR_KEYS, "signedIdentity"],
};

type Fields = { readonly [key: string]: Json };
type Fail = (what: string) => never;

/** `fail` is told what is wrong and throws. */
export function readRequirement(json: Json, fail: Fail): Requirement {
  if (!isObject(json) || typeof json["type"] !== "string") return fail("has a requirement without a type");
  const type = json["type"] as Requirement["type"];
  if (!Object.hasOwn(MEMBERS, type)) return fail(`has a requirement of the unknown type "${printable(type)}"`);
  const within: Fail = (what) => fail(`: ${type}${what}`);
  const odd = Object.keys(json).find((key) => key !== "type" && !MEMBERS[type].includes(key));
  if (odd !== undefined) within(` has no member "${printable(odd)}"`);
  if (type === "signedBy") return readSignedBy(json, within);
  return type === "sigstoreSigned" ? readSigstore(json, within) : { type };
}

function readSignedBy(json: Fields, fail: Fail): SignedBy {
  const keyType = json["keyType"];
  if (typeof keyType !== "string" || !KEY_TYPES.includes(keyType)) return fail(`: its keyType is none of ${KEY_TYPES.join(", ")}`);
  const keys = readKeys(json, GPG_KEYS, fail) ?? fail(` needs one of ${GPG_KEYS.join(", ")}`);
  return { type: "signedBy", keyType, keys, identity: readIdentity(json["signedIdentity"], (what) => fail(`: ${what}`)) };
}

function readSigstore(json: Fields, fail: Fail): SigstoreSigned {
  const keys = readKeys(json, SIGSTORE_KEYS, fail);
  const rekor = readKeys(json, REKOR_KEYS, fail);
  const authorities = AUTHORITIES.filter((name) => json[name] !== undefined);
  if ((keys === undefined ? 0 : 1) + authorities.length !== 1)
    fail(` needs one of ${[...SIGSTORE_KEYS, ...AUTHORITIES].join(", ")}, and no more`);
  for (const name of authorities) if (!isObject(json[name])) fail(`: ${name} is not an object`);
  const [by] = authorities;
  if (by === "fulcio" && rekor === undefined) fail(`: fulcio needs one of ${REKOR_KEYS.join(", ")}`);
  if (by === "pki" && rekor !== undefined) fail(": pki goes with no key of rekor");
  return {
    type: "sigstoreSigned",
    ...(keys === undefined ? {} : { keys }),
    ...(by === undefined ? {} : { by }),
    ...(rekor === undefined ? {} : { rekor }),
    identity: readIdentity(json["signedIdentity"], (what) => fail(`: ${what}`)),
  };
}

/** What one of the members `names` says; undefined where none is there. A name in the plural is a list. */
function readKeys(json: Fields, names: readonly string[], fail: Fail): KeySource | undefined {
  const there = names.filter((name) => json[name] !== undefined);
  if (there.length > 1) fail(` has both ${there.slice(0, 2).join(" and ")}`);
  const [name] = there;
  if (name === undefined) return undefined;
  const value = json[name];
  const list = name.endsWith("s") ? value : [value as Json];
  if (!Array.isArray(list) || list.length === 0) return fail(`: ${name} is not a list of at least one`);
  const texts = list.map((item) => (typeof item === "string" && item !== "" ? item : fail(`: ${name} is not text`)));
  if (/Paths?$/.test(name)) return { paths: texts, datas: [] };
  return { paths: [], datas: texts.map((text) => base64(text) ?? fail(`: ${name} is not base64`)) };
}
