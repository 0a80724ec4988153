// Puts signatures beside an image in a registry: OpenPGP ones into its lookaside, sigstore's into the registry (as registries.d says).
// Those that are there already stay: whoever signed the same image before has not signed it in vain.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ImageError } from "../../../ports/images.js";
import type { Body } from "../copy/content.js";
import { Uploader } from "../copy/upload.js";
import { discard, shown } from "../http.js";
import { isObject, type Json, parseJson } from "../json.js";
import { MANIFEST_MAX, MANIFEST_TYPES } from "../manifest.js";
import { replaceFile } from "../replace.js";
import { digestOf } from "../resolve.js";
import type { RegistrySession } from "../session.js";
import { attachmentTag } from "./attachments.js";
import { readLookaside, signatureUrl } from "./lookaside.js";
import { signaturePlaces } from "./registries-d.js";
import { type Signature, toFile } from "./signature.js";

type Env = Readonly<Record<string, string | undefined>>;
type Attached = Extract<Signature, { kind: "sigstore" }>;

const CONFIG = "application/vnd.oci.image.config.v1+json";
const MANIFEST = MANIFEST_TYPES[0] as string;

/** Puts the given signatures to the manifest of that digest. Throws ImageError. */
export type Signer = (digest: string) => Promise<void>;

/** Throws ImageError image-refused, before anything is written, where these signatures can have no place. */
export async function registrySigner(session: RegistrySession, signatures: readonly Signature[], env: Env): Promise<Signer> {
  const { reference, deadlines } = session;
  const { staging, attachments, folder } = await signaturePlaces(reference, env);
  const attached = signatures.filter((signature) => signature.kind === "sigstore");
  const beside = signatures.filter((signature) => signature.kind === "simple");
  const refuse = (why: string): never => {
    const hint = "See containers-registries.d(5); --remove-signatures copies the image without them.";
    throw new ImageError("image-refused", reference.text, `${reference.text}: its signatures have no place there: ${why}`, hint);
  };
  if (attached.length > 0 && !attachments) refuse(`${folder} sets no use-sigstore-attachments for it`);
  if (beside.length > 0 && signatureUrl(staging, reference, `sha256:${"0".repeat(64)}`, 1).protocol !== "file:")
    refuse(`nothing can be written to the lookaside ${shown(new URL(staging))}; set a lookaside-staging`);
  return async (digest) => {
    if (beside.length > 0) {
      const there = await readLookaside(staging, reference, digest, { env, deadlines });
      const files = there.map((signature) => Buffer.from(toFile(signature)));
      const fresh = beside.map(toFile).filter((bytes) => !files.some((file) => file.equals(bytes)));
      for (const [i, bytes] of fresh.entries()) {
        const path = fileURLToPath(signatureUrl(staging, reference, digest, files.length + i + 1));
        await mkdir(dirname(path), { recursive: true });
        await replaceFile(path, bytes, 0o644);
      }
    }
    if (attached.length > 0) await attach(session, digest, attached);
  };
}

/** Adds layers to what is attached to a manifest, or begins it. */
async function attach(session: RegistrySession, digest: string, signatures: readonly Attached[]): Promise<void> {
  const uploader = new Uploader(session);
  const put = async (bytes: Uint8Array): Promise<{ digest: string; size: number }> => {
    const blob = { digest: digestOf(bytes), size: bytes.length };
    if (!(await uploader.exists(blob.digest))) await uploader.send(bodyOf(bytes), new AbortController().signal);
    return blob;
  };
  const path = `manifests/${attachmentTag(digest)}`;
  const layers = await present(session, path);
  const keys = new Set(layers.map(keyOf));
  for (const { mediaType, payload, annotations } of signatures) {
    const layer = { mediaType, digest: digestOf(payload), size: payload.length, annotations };
    if (keys.has(keyOf(layer))) continue;
    keys.add(keyOf(layer));
    layers.push({ ...layer, ...(await put(payload)) });
  }
  const diffIds = layers.map((layer) => (isObject(layer) ? (layer["digest"] as string) : ""));
  const config = { architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: diffIds } };
  const configuration = { mediaType: CONFIG, ...(await put(Buffer.from(JSON.stringify(config)))) };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: configuration, layers }));
  const headers = { "content-type": MANIFEST, "content-length": String(bytes.length) };
  const answer = await session.open(path, { method: "PUT", headers, body: () => [bytes] });
  if (![200, 201, 202, 204].includes(answer.status)) {
    const { text } = session.reference;
    throw new ImageError("image-refused", text, `${text}: the registry does not take its signatures (${await session.reason(answer)})`);
  }
  discard(answer);
}

/** The layers that are attached already. */
async function present(session: RegistrySession, path: string): Promise<Json[]> {
  const answer = await session.open(path, { method: "GET", headers: { accept: MANIFEST } });
  if (answer.status === 404) {
    discard(answer);
    return [];
  }
  const { text } = session.reference;
  const bad = (why: string) => new ImageError("image-bad", text, `${text}: the signatures that are there already cannot be read: ${why}`);
  if (answer.status !== 200) throw bad(await session.reason(answer));
  const json = parseJson((await session.read(answer, MANIFEST_MAX)) ?? new Uint8Array());
  if (!isObject(json) || !Array.isArray(json["layers"])) throw bad("it is no manifest");
  return [...json["layers"]];
}

/** The same for the same signature, in whatever order its annotations are. */
function keyOf(layer: Json): string {
  const { mediaType = "", digest = "", annotations = {} } = isObject(layer) ? layer : {};
  return JSON.stringify([mediaType, digest, Object.entries(annotations as object).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function bodyOf(bytes: Uint8Array): Body {
  const blob = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length };
  return {
    known: blob,
    result: () => blob,
    async *open(from) {
      yield bytes.subarray(from);
    },
  };
}
