// Generations: what was applied, as data from which the same can be applied again. Pure.
import type { ImageFacts } from "../base/facts.js";
import { ownerName, sameOwner } from "../base/owner.js";
import { recordOf } from "../base/record.js";
import type { Rendered, RenderedFile, RenderedPod, RenderedWorkload } from "../render/types.js";
import { manifestPod, sha256 } from "./manifest.js";
import type { PodChange } from "./types.js";

/** What has generations: a pod that was written as one, or a workload with all its pods. */
export interface Lineage {
  /** `web`, `deployment/web`. */
  readonly name: string;
  readonly pods: readonly RenderedPod[];
  readonly workload?: RenderedWorkload;
}

export interface Generation {
  readonly version: 1;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly name: string;
  /** Of all that it would make again; two of one digest are the same. */
  readonly digest: string;
  /** The generation that it is a return to; absent: it came from a spec. */
  readonly back?: number;
  /** An apply was killed when this was the newest: whether it ever ran is not known. */
  readonly doubtful?: true;
  /** The specs it was made of, by `Pod/web`, without values of Secrets; absent: an older podgen's. */
  readonly specs?: Readonly<Record<string, string>>;
  readonly content: GenerationContent;
}

interface GenerationContent {
  readonly pods: readonly StoredPod[];
  readonly workload?: Omit<RenderedWorkload, "surge"> & { readonly surge: readonly StoredPod[] };
  /** ConfigMaps and Secrets its pods refer to, that the same apply brought, by `Secret/login`. */
  readonly objects: Readonly<Record<string, { readonly source: string; readonly file: StoredFile }>>;
  readonly images: readonly ImageFacts[];
}

type StoredFile = Omit<RenderedFile, "bytes"> & { readonly base64: string };
type StoredPod = Omit<RenderedPod, "files" | "shifted"> & {
  readonly files: readonly StoredFile[];
  readonly shifted: readonly (readonly [string, string])[];
};

/** How many old ones are kept where nothing else is said: Kubernetes' revisionHistoryLimit. */
export const HISTORY_LIMIT = 10;

/** All that have generations: no Services, and no pods that a Job makes. */
export function lineagesOf({ pods, workloads = [] }: Pick<Rendered, "pods" | "workloads">): Lineage[] {
  const plain = pods.filter((p) => p.owner === undefined && p.service === undefined && p.along !== true && !p.name.includes("/"));
  const made = workloads.map((workload): Lineage => {
    const own = pods.filter((p) => sameOwner(p.owner, workload.rollout));
    return { name: ownerName(workload.rollout), pods: own, workload };
  });
  return [...plain.map((pod): Lineage => ({ name: pod.name, pods: [pod] })), ...made];
}

/** Whether an apply makes another generation of it: something of it would be another, and not merely run again. */
export function isRenewed(lineage: Lineage, changes: readonly PodChange[]): boolean {
  const names = new Set(lineage.pods.map((p) => p.name));
  return changes.some((c) => names.has(c.name) && (c.verdict === "created" || c.verdict === "configured"));
}

/** What is kept of it. `images`: by any key. */
export function contentOf(lineage: Lineage, rendered: Rendered, images: Iterable<ImageFacts>): GenerationContent {
  const { pods, workload } = lineage;
  const needed = new Set(
    [...pods, ...(workload?.surge ?? [])].flatMap((p) => Object.values({ ...p.images, ...p.volumeImages }).map((i) => i.digest)),
  );
  const referred = new Set(pods.flatMap((p) => p.objects));
  const objects = Object.entries(rendered.objects).flatMap(([key, { path, source }]) => {
    const file = rendered.shared.find((f) => f.path === path);
    return referred.has(key) && file !== undefined ? [[key, { source, file: stored(file) }] as const] : [];
  });
  return {
    pods: pods.map(storedPod),
    ...(workload === undefined ? {} : { workload: { ...workload, surge: workload.surge.map(storedPod) } }),
    objects: recordOf(objects),
    images: [...new Map([...images].filter((i) => needed.has(i.digest)).map((i) => [i.digest, i])).values()],
  };
}

/** The specs of a lineage and of the objects it refers to, among all those of an apply. */
export function specsOfLineage(
  lineage: Lineage,
  { objects }: Pick<GenerationContent, "objects">,
  specs: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const keys = [specKey(lineage.name, lineage.workload?.rollout.kind), ...Object.keys(objects)];
  return recordOf(keys.flatMap((key) => (specs[key] === undefined ? [] : [[key, specs[key]] as const])));
}

/** `Deployment/web` of `deployment/web`. */
export function specKey(lineage: string, kind = "Pod"): string {
  return `${kind}/${lineage.slice(lineage.indexOf("/") + 1)}`;
}

/** Of what would be made: neither when, nor the images' configuration, nor where it was written. */
export function contentDigest({ pods, workload }: GenerationContent): string {
  const made = pods.map((p) => [p.name, p.files.map((f) => [f.path, f.base64]), p.images, p.volumeImages ?? {}]);
  return sha256(new TextEncoder().encode(JSON.stringify([made, workload?.rollout ?? null])));
}

/** Back to what can be compared and applied. */
export function renderedOf({ content }: Pick<Generation, "content">): Rendered {
  const { pods, workload, objects } = content;
  const all = Object.entries(objects);
  return {
    pods: pods.map(podOf),
    ...(workload === undefined ? {} : { workloads: [{ ...workload, surge: workload.surge.map(podOf) }] }),
    shared: all.map(([, { file }]) => fileOf(file)),
    objects: recordOf(all.map(([key, { source, file }]) => [key, { path: file.path, source }])),
  };
}

/** What the manifest says where this is what is installed. */
export function entriesOf(generation: Pick<Generation, "content">): ReturnType<typeof manifestPod>[] {
  return generation.content.pods.map((pod) => manifestPod(podOf(pod)));
}

function storedPod({ files, shifted, ...pod }: RenderedPod): StoredPod {
  return { ...pod, files: files.map(stored), shifted: [...shifted] };
}

function podOf({ files, shifted, ...pod }: StoredPod): RenderedPod {
  return { ...pod, images: recordOf(Object.entries(pod.images)), files: files.map(fileOf), shifted: new Map(shifted) };
}

function stored({ bytes, ...file }: RenderedFile): StoredFile {
  return { ...file, base64: Buffer.from(bytes).toString("base64") };
}

function fileOf({ base64, ...file }: StoredFile): RenderedFile {
  return { ...file, bytes: new Uint8Array(Buffer.from(base64, "base64")) };
}
