// Verifies sigstore signatures by public keys, and that a transparency log knows them, with OpenSSL by way of node:crypto.
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { base64 } from "../base64.js";
import { parseJson } from "../json.js";
import { repeatedKey } from "../json-keys.js";
import { type Claim, exactly, parsePayload } from "./payload.js";
import { Rejection } from "./rejection.js";
import type { Signature } from "./signature.js";

/** The layers of an attachment that are signatures; others are attestations and what else there may be. */
export const SIGSTORE_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE = "dev.cosignproject.cosign/signature";
const BUNDLE = "dev.sigstore.cosign/bundle";
const RSA_MIN = 2048;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** A public key in PEM; undefined for what is none, and for kinds that nobody signs images with. A private key is none. */
export function readPublicKey(pem: Uint8Array): KeyObject | undefined {
  const text = Buffer.from(pem).toString("latin1");
  if (!/^-----BEGIN (?:RSA )?PUBLIC KEY-----$/m.test(text) || /PRIVATE/.test(text)) return undefined;
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    return undefined;
  }
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ed25519") return key;
  if (key.asymmetricKeyType === "rsa") return modulusLength >= RSA_MIN ? key : undefined;
  return key.asymmetricKeyType === "ec" && CURVES.includes(namedCurve) ? key : undefined;
}

/** What the signature says, if one of `keys` made it and, where `rekor` is given, a log with one of those keys knows it. Throws Rejection. */
export function verifySigstore(
  signature: Extract<Signature, { kind: "sigstore" }>,
  keys: readonly KeyObject[],
  rekor: readonly KeyObject[] | undefined,
): Claim {
  const text = signature.annotations[SIGNATURE];
  if (text === undefined) throw new Rejection(`it lacks the annotation ${SIGNATURE}`);
  const value = base64(text);
  if (value === undefined) throw new Rejection(`its annotation ${SIGNATURE} is not base64`);
  const { payload } = signature;
  const signers = keys.filter((key) => signs(key, payload, value));
  if (signers.length === 0)
    throw new Rejection(keys.length === 1 ? "another key than the policy's made it" : "none of the policy's keys made it");
  if (rekor !== undefined) checkLogged(signature.annotations[BUNDLE], { payload, value, signers, rekor });
  return parsePayload(payload, "cosign container image signature");
}

/** ECDSA (DER) and RSA (PKCS #1 v1.5) over SHA-256, Ed25519 over the bytes themselves, as cosign makes them. */
function signs(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", bytes, key, signature);
  } catch {
    // OpenSSL throws for a signature that is none at all.
    return false;
  }
}

interface Logged {
  readonly payload: Uint8Array;
  readonly value: Uint8Array;
  readonly signers: readonly KeyObject[];
  readonly rekor: readonly KeyObject[];
}

/** The log's promise (SignedEntryTimestamp) over an entry for this payload, signature and key. Throws Rejection. */
function checkLogged(bundle: string | undefined, { payload, value, signers, rekor }: Logged): void {
  if (bundle === undefined) throw new Rejection(`it lacks the annotation ${BUNDLE}, by which rekor shows that it knows it`);
  const outer = exactly(strictJson(Buffer.from(bundle), BUNDLE), BUNDLE, ["SignedEntryTimestamp", "Payload"]);
  const entry = exactly(outer["Payload"], `${BUNDLE}: Payload`, ["body", "integratedTime", "logIndex", "logID"]);
  const { body, integratedTime, logIndex, logID } = entry;
  const promise = typeof outer["SignedEntryTimestamp"] === "string" ? base64(outer["SignedEntryTimestamp"]) : undefined;
  if (promise === undefined || typeof body !== "string" || typeof logID !== "string") throw new Rejection(`its ${BUNDLE} is malformed`);
  if (!Number.isSafeInteger(integratedTime) || !Number.isSafeInteger(logIndex)) throw new Rejection(`its ${BUNDLE} is malformed`);
  // RFC 8785: sorted members, no blanks; texts and integers are written as JSON.stringify does.
  const signed = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
  if (!rekor.some((key) => signs(key, signed, promise))) throw new Rejection("another log than the policy's rekor promises to know it");
  checkEntry(strictJson(base64(body) ?? new Uint8Array(), "the entry of rekor"), { payload, value, signers });
}

/** An entry of the kind hashedrekord 0.0.1. */
function checkEntry(json: ReturnType<typeof parseJson>, { payload, value, signers }: Omit<Logged, "rekor">): void {
  const entry = exactly(json, "the entry of rekor", ["apiVersion", "kind", "spec"]);
  if (entry["kind"] !== "hashedrekord" || entry["apiVersion"] !== "0.0.1")
    throw new Rejection("the entry of rekor is no hashedrekord 0.0.1");
  const { data, signature } = exactly(entry["spec"], "the entry of rekor: spec", ["data", "signature"]);
  const { content, publicKey } = exactly(signature, "the entry of rekor: signature", ["content", "publicKey"]);
  const pem = exactly(publicKey, "the entry of rekor: publicKey", ["content"])["content"];
  const hash = exactly(exactly(data, "the entry of rekor: data", ["hash"])["hash"], "the entry of rekor: hash", ["algorithm", "value"]);
  const logged = typeof pem === "string" ? readPublicKey(base64(pem) ?? new Uint8Array()) : undefined;
  if (logged === undefined || !signers.some((key) => key.equals(logged))) throw new Rejection("the entry of rekor is for another key");
  if (content !== Buffer.from(value).toString("base64")) throw new Rejection("the entry of rekor is for another signature");
  if (hash["algorithm"] !== "sha256" || hash["value"] !== createHash("sha256").update(payload).digest("hex"))
    throw new Rejection("the entry of rekor is for something else that was signed");
}

function strictJson(bytes: Uint8Array, what: string): ReturnType<typeof parseJson> {
  const json = parseJson(bytes);
  if (json === undefined) throw new Rejection(`${what} is not JSON`);
  if (repeatedKey(new TextDecoder().decode(bytes)) !== undefined) throw new Rejection(`${what} has a member twice`);
  return json;
}
