// What all bundles share: the digest, and the annotations that say where the bundle came from.
import { sha256 } from "../digest.js";
import { type Json, printJson } from "./json.js";

export const OCI_VERSION = "1.2.0";

/** A config.json before its digest is known. */
export interface BundleDraft {
  readonly config: { readonly [key: string]: Json };
  readonly annotations: { readonly [key: string]: string };
}

export interface Bundle {
  readonly text: string;
  /** `io.podgen.digest`: of everything but itself and the source's path, so that moving a spec restarts nothing. */
  readonly digest: string;
}

/** Completes a draft. `source` and `object` are the header that unit files have as comments. */
export function finishBundle(draft: BundleDraft, source: string, object: string): Bundle {
  const digest = sha256(printJson({ ...draft.config, annotations: draft.annotations }));
  const annotations = {
    "io.podgen.source": source,
    "io.podgen.object": object,
    "io.podgen.digest": digest,
    ...draft.annotations,
  };
  return { text: printJson({ ...draft.config, annotations }), digest };
}
