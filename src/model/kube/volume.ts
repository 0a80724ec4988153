// One volume: where its content comes from.
import type { Reader } from "../../spec/reader.js";
import type { DownwardFile, HostPathType, KeyToPath, Projection, Volume, VolumeSource } from "../types.js";
import { readImage } from "./container.js";
import { readDownward } from "./downward.js";
import { VOLUME_SOURCES } from "./fields/volume.js";
import { memoryBytes } from "./quantity.js";

/** Kubernetes' defaultMode of configMap and secret volumes. */
const DEFAULT_MODE = 0o644;

type Read = (source: Reader) => { readonly source: VolumeSource; readonly key: string };

/** One reader per honoured source; `key` is the field a finding about the source should show. */
const SOURCES: Readonly<Record<string, Read>> = {
  emptyDir: (r) => {
    const limit = memoryBytes(r.quantity("sizeLimit"));
    const medium = r.text("medium") === "Memory" ? "Memory" : "";
    return {
      source: { kind: "emptyDir", medium, ...(limit === undefined ? {} : { sizeLimit: limit }) },
      key: limit === undefined ? "medium" : "sizeLimit",
    };
  },
  hostPath: (r) => ({
    source: { kind: "hostPath", path: r.text("path") ?? "", type: (r.text("type") ?? "") as HostPathType },
    key: "path",
  }),
  configMap: (r) => ({ source: { kind: "configMap", name: r.text("name") ?? "", ...readFiles(r) }, key: "name" }),
  secret: (r) => ({ source: { kind: "secret", name: r.text("secretName") ?? "", ...readFiles(r) }, key: "secretName" }),
  downwardAPI: (r) => ({
    source: { kind: "projected", defaultMode: r.integer("defaultMode") ?? DEFAULT_MODE, sources: [readDownwardFiles(r)] },
    key: "items",
  }),
  projected: (r) => ({
    source: {
      kind: "projected",
      defaultMode: r.integer("defaultMode") ?? DEFAULT_MODE,
      sources: r.objects("sources").flatMap((s) => readProjection(s) ?? []),
    },
    key: "sources",
  }),
  ephemeral: (r) => {
    const spec = r.object("volumeClaimTemplate")?.object("spec");
    const size = memoryBytes(spec?.object("resources")?.object("requests")?.quantity("storage"));
    return { source: { kind: "emptyDir", medium: "", ...(size === undefined ? {} : { sizeLimit: size }) }, key: "name" };
  },
  image: (r) => {
    const image = readImage(r, { image: "reference", policy: "pullPolicy" });
    return { source: { kind: "image", ...image, imageAt: r.place("reference").at }, key: "reference" };
  },
  persistentVolumeClaim: (r) => ({
    source: { kind: "persistentVolumeClaim", claimName: r.text("claimName") ?? "", readOnly: r.flag("readOnly") ?? false },
    key: "claimName",
  }),
};

/** One that names no source is an emptyDir, as in Kubernetes; undefined where its source is none that is honoured. */
export function readVolume(reader: Reader): Volume | undefined {
  for (const [field, read] of Object.entries(SOURCES)) {
    const inner = reader.object(field);
    if (inner === undefined) continue;
    const { source, key } = read(inner);
    const place = inner.get(key)?.place ?? reader.place("name");
    return { name: reader.text("name") ?? "", source, at: place.at };
  }
  if (VOLUME_SOURCES.some((s) => reader.get(s) !== undefined)) return undefined;
  return { name: reader.text("name") ?? "", source: { kind: "emptyDir", medium: "" }, at: reader.place("name").at };
}

function readFiles(reader: Reader): { items?: readonly KeyToPath[]; defaultMode: number; optional: boolean } {
  const { optional, ...items } = readKeys(reader);
  return { ...items, defaultMode: reader.integer("defaultMode") ?? DEFAULT_MODE, optional };
}

function readKeys(reader: Reader): { items?: readonly KeyToPath[]; optional: boolean } {
  // An empty list means every key, as in Kubernetes.
  const items = reader.objects("items").map(readItem);
  return { ...(items.length === 0 ? {} : { items }), optional: reader.flag("optional") ?? false };
}

function readProjection(reader: Reader): Projection | undefined {
  for (const kind of ["configMap", "secret"] as const) {
    const inner = reader.object(kind);
    if (inner !== undefined) return { kind, name: inner.text("name") ?? "", ...readKeys(inner), at: inner.place("name").at };
  }
  const downward = reader.object("downwardAPI");
  return downward === undefined ? undefined : readDownwardFiles(downward);
}

function readDownwardFiles(reader: Reader): Projection {
  const items = reader.objects("items").flatMap((item): DownwardFile[] => {
    const found = readDownward(item);
    if (found === undefined) return [];
    const { at, ...value } = found;
    const mode = item.integer("mode");
    return [{ path: item.text("path") ?? "", ...(mode === undefined ? {} : { mode }), value, at: at.node.place.at }];
  });
  return { kind: "downwardAPI", items };
}

function readItem(reader: Reader): KeyToPath {
  const mode = reader.integer("mode");
  return { key: reader.text("key") ?? "", path: reader.text("path") ?? "", ...(mode === undefined ? {} : { mode }) };
}
