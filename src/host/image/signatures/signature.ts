// Signatures as they are kept beside an image, of the two kinds there are. Nothing here is verified. Pure.
import { isObject, parseJson } from "../json.js";

export type Signature =
  /** An OpenPGP message that carries what was signed (containers-signature(5)). */
  | { readonly kind: "simple"; readonly message: Uint8Array }
  /** A layer of an attachment, as cosign makes it. */
  | {
      readonly kind: "sigstore";
      readonly mediaType: string;
      readonly payload: Uint8Array;
      readonly annotations: Readonly<Record<string, string>>;
    };

/** The signatures of one manifest. */
export interface Found {
  readonly signatures: readonly Signature[];
  /** Where they were looked for, for messages. */
  readonly looked: readonly string[];
}

/** One signature's file, and one attachment's payload. As in containers/image. */
export const SIGNATURE_MAX = 4 * 1024 * 1024;
/** Signatures of one manifest: whoever has more than this does not mean well. */
export const SIGNATURES_MAX = 128;

const SIGSTORE = "sigstore-json";
const SIMPLE = "simple-signing";
/** First bytes of OpenPGP messages: compressed data, one-pass signature, signature; in the old and the new format of packets. */
const OPENPGP = [0xa0, 0xa1, 0xa2, 0xa3, 0xc8, 0x90, 0x91, 0x92, 0xc4, 0x88, 0x89, 0x8a, 0x8b, 0xc2];

/** A file of a lookaside or a `dir:`; undefined where it is no signature: an OpenPGP message, or `\0FORMAT\n` and the rest. */
export function fromFile(bytes: Uint8Array): Signature | undefined {
  const [first] = bytes;
  if (first === undefined) return undefined;
  if (OPENPGP.includes(first)) return { kind: "simple", message: bytes };
  const end = bytes.indexOf(0x0a);
  if (first !== 0 || end < 0) return undefined;
  const format = Buffer.from(bytes.subarray(1, end)).toString("latin1");
  const rest = bytes.subarray(end + 1);
  if (format === SIMPLE) return { kind: "simple", message: rest };
  return format === SIGSTORE ? fromJson(rest) : undefined;
}

function fromJson(bytes: Uint8Array): Signature | undefined {
  const json = parseJson(bytes);
  if (!isObject(json)) return undefined;
  const { mimeType, payload, annotations } = json;
  if (typeof mimeType !== "string" || typeof payload !== "string") return undefined;
  return { kind: "sigstore", mediaType: mimeType, payload: Buffer.from(payload, "base64"), annotations: texts(annotations) };
}

/** The members of an object that are texts: annotations are nothing else. */
export function texts(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** The file that fromFile() reads. */
export function toFile(signature: Signature): Uint8Array {
  if (signature.kind === "simple") return signature.message;
  const { mediaType, payload, annotations } = signature;
  const json = JSON.stringify({ mimeType: mediaType, payload: Buffer.from(payload).toString("base64"), annotations });
  return Buffer.from(`\0${SIGSTORE}\n${json}`);
}
