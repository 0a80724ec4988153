// Signatures in files beside the registry: BASE/REPOSITORY@sha256=HEX/signature-1, -2, … (containers' signature-protocols).
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ImageError } from "../../../ports/images.js";
import { trustFor } from "../certificates.js";
import type { Deadlines } from "../deadlines.js";
import { discard, HttpClient, HttpError, readAll, shown } from "../http.js";
import { printable } from "../json.js";
import { hexOf, type RegistryReference } from "../reference.js";
import { readRegular } from "../regular.js";
import { fromFile, SIGNATURE_MAX, SIGNATURES_MAX, type Signature } from "./signature.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The file of signature `index`, counted from 1. Throws ImageError image-config for a base that is no address. */
export function signatureUrl(base: string, { repository, text }: RegistryReference, digest: string, index: number): URL {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url === undefined || !["file:", "http:", "https:"].includes(url.protocol) || (url.protocol === "file:" && url.host !== ""))
    throw new ImageError("image-config", text, `${text}: the lookaside ${printable(base)} is no address of file, http or https`);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${repository}@sha256=${hexOf(digest)}/signature-${index}`;
  return url;
}

/** All signatures of a manifest, up to the first number that is not there. Throws ImageError. */
export async function readLookaside(
  base: string,
  reference: RegistryReference,
  digest: string,
  { env, deadlines }: { readonly env: Env; readonly deadlines: Deadlines },
): Promise<Signature[]> {
  const found: Signature[] = [];
  // What is there is good or not by its signature alone: plain HTTP will do, as with podman.
  const http = new HttpClient(deadlines, async (host) => ({
    ...(await trustFor(host, env)),
    ...(base.startsWith("http:") ? { insecure: true } : {}),
  }));
  for (let index = 1; ; index++) {
    const url = signatureUrl(base, reference, digest, index);
    const read = url.protocol === "file:" ? () => readSignatureFile(fileURLToPath(url)) : () => download(url, http, deadlines);
    const bytes = await read().catch((error: unknown) => {
      throw unreadable(error, url, reference.text);
    });
    if (bytes === undefined) return found;
    const signature = fromFile(bytes);
    if (signature === undefined) throw new ImageError("image-bad", reference.text, `${reference.text}: ${shown(url)} is no signature`);
    if (index > SIGNATURES_MAX) throw new ImageError("image-bad", reference.text, `${reference.text}: over ${SIGNATURES_MAX} signatures`);
    found.push(signature);
  }
}

/** undefined: it is not there. Throws errors of node:fs, and one for a file that is too long or no ordinary one. */
export async function readSignatureFile(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readRegular(path, SIGNATURE_MAX);
    if (bytes === undefined) throw new Error(`it is over ${SIGNATURE_MAX} bytes`);
    return bytes;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** undefined: 404. Throws HttpError, and an error for other answers. */
async function download(url: URL, http: HttpClient, deadlines: Deadlines): Promise<Uint8Array | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await http.send(url, { method: "GET", headers: {} });
      if (answer.status === 200) {
        const bytes = await readAll(answer, SIGNATURE_MAX, deadlines);
        if (bytes === undefined) throw new Error(`it is over ${SIGNATURE_MAX} bytes`);
        return bytes;
      }
      discard(answer);
      if (answer.status === 404) return undefined;
      if (answer.status < 500 || attempt >= deadlines.attempts) throw new Error(`HTTP ${answer.status}`);
    } catch (error) {
      // Nobody there: not worth a second try.
      if (!(error instanceof HttpError) || !error.again || !error.connected || attempt >= deadlines.attempts) throw error;
    }
    await sleep(deadlines.backoff * 2 ** (attempt - 1));
  }
}

function unreadable(error: unknown, url: URL, text: string): ImageError {
  if (error instanceof ImageError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why = printable(error instanceof HttpError ? message : (code ?? message));
  const hint = "The policy wants the image signed, and its signatures cannot be read: see lookaside in containers-registries.d(5).";
  return new ImageError(
    error instanceof HttpError ? "image-unreachable" : "image-bad",
    text,
    `${text}: the signature ${shown(url)}: ${why}`,
    hint,
    error,
  );
}
