// Types of Secrets that promise certain keys.

import { quote } from "../../../spec/quote.js";
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";

/** Type -> keys that must be there (core/v1 SecretType; basic-auth needs one of its two). */
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ["kubernetes.io/tls", ["tls.crt", "tls.key"]],
  ["kubernetes.io/ssh-auth", ["ssh-privatekey"]],
  ["kubernetes.io/dockerconfigjson", [".dockerconfigjson"]],
  ["kubernetes.io/dockercfg", [".dockercfg"]],
]);
const BASIC_AUTH = ["username", "password"];

export function secretType(document: Reader, type: string, data: ReadonlyMap<string, Uint8Array>, report: Report): void {
  const place = document.place("type");
  const path = document.pathOf("type");
  if (type === "kubernetes.io/service-account-token")
    report.error("refused-field", place, path, "not supported: there is no API server here that such a token would be for", "remove it");
  for (const key of REQUIRED.get(type) ?? [])
    if (!holds(document, data, key)) report.error("missing-field", place, path, `a Secret of type ${type} needs the key ${quote(key)}`);
  if (type === "kubernetes.io/basic-auth" && !BASIC_AUTH.some((key) => holds(document, data, key)))
    report.error("missing-field", place, path, `a Secret of type ${type} needs the key "username" or "password"`);
}

/** Also true for a key whose value is broken: that is its own finding. */
function holds(document: Reader, data: ReadonlyMap<string, Uint8Array>, key: string): boolean {
  return data.has(key) || document.object("data")?.node.entries.has(key) === true;
}
