// One volume: where its content comes from.
import type { Reader } from "../../spec/reader.js";
import type { HostPathType, KeyToPath, Volume, VolumeSource } from "../types.js";

/** Kubernetes' defaultMode of configMap and secret volumes. */
const DEFAULT_MODE = 0o644;

type Read = (source: Reader) => { readonly source: VolumeSource; readonly key: string };

/** One reader per honoured source; `key` is the field a finding about the source should show. */
const SOURCES: Readonly<Record<string, Read>> = {
  emptyDir: (r) => ({ source: { kind: "emptyDir", medium: r.text("medium") === "Memory" ? "Memory" : "" }, key: "medium" }),
  hostPath: (r) => ({
    source: { kind: "hostPath", path: r.text("path") ?? "", type: (r.text("type") ?? "") as HostPathType },
    key: "path",
  }),
  configMap: (r) => ({ source: { kind: "configMap", name: r.text("name") ?? "", ...readFiles(r) }, key: "name" }),
  secret: (r) => ({ source: { kind: "secret", name: r.text("secretName") ?? "", ...readFiles(r) }, key: "secretName" }),
  persistentVolumeClaim: (r) => ({
    source: { kind: "persistentVolumeClaim", claimName: r.text("claimName") ?? "", readOnly: r.flag("readOnly") ?? false },
    key: "claimName",
  }),
};

/** Undefined where no honoured source is named; rules/volumes.ts says so. */
export function readVolume(reader: Reader): Volume | undefined {
  for (const [field, read] of Object.entries(SOURCES)) {
    const inner = reader.object(field);
    if (inner === undefined) continue;
    const { source, key } = read(inner);
    const place = inner.get(key)?.place ?? reader.place("name");
    return { name: reader.text("name") ?? "", source, at: place.at };
  }
  return undefined;
}

function readFiles(reader: Reader): { items?: readonly KeyToPath[]; defaultMode: number; optional: boolean } {
  // An empty list means every key, as in Kubernetes.
  const items = reader.objects("items").map(readItem);
  return {
    ...(items.length === 0 ? {} : { items }),
    defaultMode: reader.integer("defaultMode") ?? DEFAULT_MODE,
    optional: reader.flag("optional") ?? false,
  };
}

function readItem(reader: Reader): KeyToPath {
  const mode = reader.integer("mode");
  return { key: reader.text("key") ?? "", path: reader.text("path") ?? "", ...(mode === undefined ? {} : { mode }) };
}
