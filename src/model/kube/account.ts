// ServiceAccounts: a name that pods may say, and logins for the images of those that do.
import type { Reader } from "../../spec/reader.js";
import type { PullSecretRef, ServiceAccountModel } from "../types.js";
import { readMetadata } from "./metadata.js";

export function readAccount(document: Reader): ServiceAccountModel {
  return { ...readMetadata("ServiceAccount", document), imagePullSecrets: readPullSecrets(document) };
}

/** imagePullSecrets of a pod's spec, or of an account. */
export function readPullSecrets(of: Reader | undefined): PullSecretRef[] {
  return (of?.objects("imagePullSecrets") ?? []).map((r) => ({ name: r.text("name") ?? "", at: r.place("name").at }));
}
