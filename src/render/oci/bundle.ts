// What all bundles share: the digest, and the annotations that say where the bundle came from.
import { sha256 } from "../digest.js";
import { type Json, printJson } from "./json.js";

export const OCI_VERSION = "1.2.0";

/** A config.json before its digest is known. */
export interface BundleDraft {
  readonly config: { readonly [key: string]: Json };
  readonly annotations: { readonly [key: string]: string };
  /** Annotations that matter at the next start only, whenever that is: no part of the digest. */
  readonly loose?: { readonly [key: string]: string };
}

export interface Bundle {
  readonly text: string;
  /** `io.podgen.digest`: of everything but itself, the source's path (moving a spec restarts nothing) and what is loose. */
  readonly digest: string;
  /** `io.podgen.live-digest`; absent: there are no such files. */
  readonly liveFiles?: string;
}

/** Completes a draft. `source` and `object` are the header that unit files have as comments. */
export function finishBundle(draft: BundleDraft, source: string, object: string): Bundle {
  const digest = sha256(JSON.stringify({ ...draft.config, annotations: draft.annotations }));
  const annotations = {
    "io.podgen.source": source,
    "io.podgen.object": object,
    "io.podgen.digest": digest,
    ...draft.annotations,
    ...draft.loose,
  };
  const liveFiles = draft.loose?.["io.podgen.live-digest"];
  return { text: printJson({ ...draft.config, annotations }), digest, ...(liveFiles === undefined ? {} : { liveFiles }) };
}
