// PersistentVolumeClaims: what they ask for, and podman's annotations on them.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";
import type { ClaimModel } from "../types.js";
import { readMetadata } from "./metadata.js";
import { memoryBytes } from "./quantity.js";
import { type ClaimOwner, claimAnnotations } from "./rules/claim-annotations.js";

/** A claim. The annotations say whose its volume is (podman-kube-play(1)). */
export function readClaim(document: Reader, report: Report): ClaimModel {
  const spec = document.object("spec");
  const storage = memoryBytes(spec?.object("resources")?.object("requests")?.quantity("storage"));
  const storageClass = spec?.text("storageClassName") || undefined;
  const owner: ClaimOwner | undefined = claimAnnotations(document, report);
  return {
    ...readMetadata("PersistentVolumeClaim", document),
    accessModes: spec?.texts("accessModes") ?? [],
    ...(storage === undefined ? {} : { storage }),
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    ...(owner === undefined ? {} : { owner }),
  };
}
