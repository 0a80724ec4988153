// All signatures of a manifest in a registry: of its lookaside, then those attached to it, as registries.d says.
import type { Deadlines } from "../deadlines.js";
import { shown } from "../http.js";
import type { RegistryReference } from "../reference.js";
import { type Attached, attachmentTag, readAttachments } from "./attachments.js";
import { readLookaside, signatureUrl } from "./lookaside.js";
import { signaturePlaces } from "./registries-d.js";
import type { Found } from "./signature.js";

/** `reference`: the name in the registry that serves the image, which may be a mirror's. Throws ImageError. */
export async function findSignatures(
  from: Attached,
  reference: RegistryReference,
  digest: string,
  access: { readonly env: Readonly<Record<string, string | undefined>>; readonly deadlines: Deadlines },
): Promise<Found> {
  const { lookaside, attachments, folder } = await signaturePlaces(reference, access.env);
  const beside = await readLookaside(lookaside, reference, digest, access);
  const attached = attachments ? await readAttachments(from, digest) : [];
  const looked = [
    shown(signatureUrl(lookaside, reference, digest, 1)),
    attachments ? `the tag ${attachmentTag(digest)}` : `${folder} sets no use-sigstore-attachments for it`,
  ];
  return { signatures: [...beside, ...attached], looked };
}
