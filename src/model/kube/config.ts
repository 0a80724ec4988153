// ConfigMaps and Secrets: their keys and bytes.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";
import type { ConfigMapModel, SecretModel } from "../types.js";
import { decodeBase64 } from "./base64.js";
import { readMetadata } from "./metadata.js";
import { dataSize } from "./rules/data-size.js";
import { secretType } from "./rules/secret-type.js";

const UTF8 = new TextEncoder();

export function readConfigMap(document: Reader, report: Report): ConfigMapModel {
  const data = readTexts(document, "data");
  for (const [key, bytes] of readBase64(document, "binaryData", report)) {
    const binary = document.object("binaryData");
    if (data.has(key) && binary !== undefined)
      report.error("duplicate-key", binary.keyPlace(key), binary.pathOf(key), "is in data too", "keep it in one of the two");
    data.set(key, bytes);
  }
  dataSize(document, ["data", "binaryData"], data, report);
  return { ...readMetadata("ConfigMap", document), data, ...readImmutable(document) };
}

/** stringData wins over data, as in Kubernetes. */
export function readSecret(document: Reader, report: Report): SecretModel {
  const data = new Map([...readBase64(document, "data", report), ...readTexts(document, "stringData")]);
  const type = document.text("type") ?? "Opaque";
  dataSize(document, ["data", "stringData"], data, report);
  secretType(document, type, data, report);
  return { ...readMetadata("Secret", document), type, data, ...readImmutable(document) };
}

function readImmutable(document: Reader): { immutable?: true } {
  return document.flag("immutable") === true ? { immutable: true } : {};
}

function readTexts(document: Reader, field: string): Map<string, Uint8Array> {
  return new Map(texts(document, field).map(([key, text]) => [key, UTF8.encode(text)]));
}

function readBase64(document: Reader, field: string, report: Report): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  const map = document.object(field);
  for (const [key, text] of texts(document, field)) {
    const decoded = decodeBase64(text);
    if ("bytes" in decoded) out.set(key, decoded.bytes);
    else if (map !== undefined) {
      const hint = field === "data" ? "put plain text under stringData instead of data" : "put plain text under data instead of binaryData";
      report.error("bad-base64", map.place(key), map.pathOf(key), decoded.problem, hint);
    }
  }
  return out;
}

function texts(document: Reader, field: string): [string, string][] {
  return Object.entries(document.object(field) === undefined ? {} : document.textMap(field));
}
