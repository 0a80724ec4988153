// Whether the signatures of a manifest fulfil what a policy demands: of every requirement one signature at least.
import { createHash } from "node:crypto";
import { ImageError } from "../../../ports/images.js";
import { printable } from "../json.js";
import { NoGpgv, verifyMessage } from "../signatures/gpgv.js";
import { type Claim, parsePayload } from "../signatures/payload.js";
import { Rejection } from "../signatures/rejection.js";
import type { Found, Signature } from "../signatures/signature.js";
import { SIGSTORE_TYPE, verifySigstore } from "../signatures/sigstore.js";
import { matchesIdentity } from "./identity.js";
import { readKeyrings, readPublicKeys, readRekorKeys } from "./keys.js";
import type { ImageName } from "./name.js";
import type { SignatureRequirement, SignedBy, SigstoreSigned } from "./requirement.js";

/** What has to be fulfilled, and where that is written. */
export interface Demand {
  readonly requirements: readonly SignatureRequirement[];
  /** The policy's file and scope. */
  readonly at: string;
}

/** An image that is asked about. */
export interface Candidate {
  /** The name that signatures are compared with; a `dir:` has none. */
  readonly name?: ImageName;
  /** Of the image itself, not of an index. */
  readonly manifest: Uint8Array;
}

type Env = Readonly<Record<string, string | undefined>>;
type Check = (signature: Signature) => Promise<Claim>;
type Refuse = (why: string, hint?: string) => never;

/** A requirement with its keys at hand. */
interface Test {
  readonly requirement: SignatureRequirement;
  readonly check: Check;
  readonly refuse: Refuse;
}

/** Tells whether an image's signatures fulfil a demand. Throws ImageError image-refused where they do not. */
export type Verifier = (image: Candidate, found: Found) => Promise<void>;

/**
 * Reads all keys, so that nothing is asked of a registry where they cannot be used. `text`: the image as the user named it. Throws
 * ImageError image-config for such keys, image-refused for a requirement that podgen cannot verify.
 */
export async function verifierOf({ requirements, at }: Demand, text: string, env: Env): Promise<Verifier> {
  const tests: Test[] = [];
  for (const requirement of requirements) {
    const refuse: Refuse = (why, hint) => {
      const what = `${text}: the policy wants a signature (${requirement.type}), and ${why} (${at})`;
      throw new ImageError("image-refused", text, what, hint ?? HINT);
    };
    const signedBy = requirement.type === "signedBy";
    const check = await (signedBy ? simpleCheck(requirement, at, env, refuse) : sigstoreCheck(requirement, at, refuse));
    tests.push({ requirement, check, refuse });
  }
  return async (image, found) => {
    for (const test of tests) await pass(test, image, found);
  };
}

const HINT = "Have it signed as the policy wants it, or change the policy (containers-policy.json(5)).";

/** One signature that counts is enough. */
async function pass({ requirement, check, refuse }: Test, image: Candidate, { signatures, looked }: Found): Promise<void> {
  const mine = signatures.filter((signature) => isFor(signature, requirement));
  const others = signatures.length - mine.length;
  if (mine.length === 0)
    refuse(`it has none${others === 0 ? "" : ` of that kind, but ${others} of another`}`, `Looked for: ${looked.join("; ")}.`);
  const reasons: string[] = [];
  for (const signature of mine) {
    const reason = await rejected(check, signature, requirement, image);
    if (reason === undefined) return;
    reasons.push(reason);
  }
  if (reasons.length === 1) refuse(`its signature does not count: ${reasons[0]}`);
  refuse(`none of its ${reasons.length} signatures counts: ${reasons.map((reason, i) => `${i + 1}: ${reason}`).join("; ")}`);
}

function isFor(signature: Signature, { type }: SignatureRequirement): boolean {
  if (signature.kind === "simple") return type === "signedBy";
  return type === "sigstoreSigned" && signature.mediaType === SIGSTORE_TYPE;
}

/** Why a signature does not count; undefined: it does. */
async function rejected(
  check: Check,
  signature: Signature,
  { identity }: SignatureRequirement,
  image: Candidate,
): Promise<string | undefined> {
  try {
    const { digest, reference } = await check(signature);
    if (!fits(image.manifest, digest)) return `it is for another image, ${printable(digest)}`;
    if (matchesIdentity(identity, image.name, reference)) return undefined;
    return `it is for the name ${printable(reference)}, which ${identity.type} does not let pass`;
  } catch (error) {
    if (error instanceof Rejection) return error.message;
    throw error;
  }
}

/** True when `digest` is one of these bytes. */
function fits(bytes: Uint8Array, digest: string): boolean {
  const algorithm = /^(sha256|sha384|sha512):[0-9a-f]+$/.exec(digest)?.[1];
  return algorithm !== undefined && `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` === digest;
}

async function simpleCheck({ keyType, keys }: SignedBy, at: string, env: Env, refuse: Refuse): Promise<Check> {
  if (keyType !== "GPGKeys") refuse(`podgen verifies none of the keyType ${keyType}`);
  const rings = await readKeyrings(keys, at);
  return async (signature) => {
    if (signature.kind !== "simple") throw new Rejection("it is of another kind");
    const signed = await verifyMessage(signature.message, rings, env).catch((error: unknown) => {
      if (error instanceof NoGpgv)
        return refuse(`it cannot be verified: ${error.message}`, "Install gpgv (Debian's package gpgv; elsewhere a part of gnupg).");
      throw error;
    });
    return parsePayload(signed, "atomic container signature");
  };
}

async function sigstoreCheck({ keys, by, rekor }: SigstoreSigned, at: string, refuse: Refuse): Promise<Check> {
  if (keys === undefined)
    return refuse(
      `podgen verifies none by ${by}`,
      "podgen verifies sigstore signatures by keys: keyPath, keyPaths, keyData, keyDatas, and rekor's.",
    );
  const publicKeys = await readPublicKeys(keys, at);
  const logs = rekor === undefined ? undefined : await readRekorKeys(rekor, at);
  return async (signature) => {
    if (signature.kind !== "sigstore") throw new Rejection("it is of another kind");
    return verifySigstore(signature, publicKeys, logs);
  };
}
