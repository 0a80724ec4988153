// A plan in a file: what was proposed, by digests, and from what it can be proposed again. No contents, so no secrets.
import { createHmac } from "node:crypto";
import { sha256 } from "../diff/manifest.js";
import type { FileChange, PodChange } from "../diff/types.js";
import { Args } from "./args.js";
import type { SpecText } from "./input.js";
import type { Proposal } from "./session.js";

const API = "podgen.io/v1";
const KIND = "SavedPlan";
/** How the file begins, as savePlan writes it. */
const HEAD = new RegExp(`^\\s*\\{\\s*"apiVersion":\\s*"${API}",\\s*"kind":\\s*"${KIND}"`);

/** The words that lead to the same texts again, whatever the working directory. */
export interface PlanInput {
  readonly files: readonly string[];
  readonly kustomize: readonly string[];
  readonly recursive: boolean;
  readonly envFiles: readonly string[];
  readonly values: readonly string[];
  /** Names of --set; their values are given again. */
  readonly set: readonly string[];
  readonly prune: boolean;
}

interface PlannedFile {
  readonly path: string;
  readonly action: FileChange["action"];
  /** Absent where there is none; of a secret keyed, and absent where there is no key yet. */
  readonly before?: string;
  readonly after?: string;
}

interface PlannedPod {
  readonly name: string;
  readonly verdict: PodChange["verdict"];
  /** Digests of its entries in the manifest. */
  readonly before?: string;
  readonly after?: string;
  readonly units: Readonly<Record<string, string>>;
}

export interface SavedPlan {
  readonly apiVersion: typeof API;
  readonly kind: typeof KIND;
  readonly input: PlanInput;
  /** Where a text came from -> its sha256. */
  readonly sources: Readonly<Record<string, string>>;
  /** Reference -> digest of the manifest. */
  readonly images: Readonly<Record<string, string>>;
  /** Made before there was a key for secrets: paths of secrets were not known yet. */
  readonly keyless: boolean;
  readonly files: readonly PlannedFile[];
  readonly pods: readonly PlannedPod[];
}

/** What a proposal is, by digests. `key`: of the secret store, where there is one. */
export function describePlan(
  input: PlanInput,
  texts: readonly SpecText[],
  { changes, images, manifest }: Pick<Proposal, "changes" | "images" | "manifest">,
  key: Uint8Array | undefined,
): SavedPlan {
  const entry = (value: unknown): string => sha256(new TextEncoder().encode(JSON.stringify(value)));
  const files = [...changes.shared, ...changes.pods.flatMap((p) => p.files)].map((file): PlannedFile => {
    const { path, action, secret } = file;
    const digest = (bytes: Uint8Array | undefined, name: string): Record<string, string> => {
      if (bytes === undefined || (secret && key === undefined)) return {};
      return { [name]: secret && key !== undefined ? createHmac("sha256", key).update(bytes).digest("hex") : sha256(bytes) };
    };
    return { path, action, ...digest(file.before, "before"), ...digest(file.after, "after") };
  });
  const pods = changes.pods.map((pod): PlannedPod => {
    const before = manifest.pods[pod.name];
    return {
      name: pod.name,
      verdict: pod.verdict,
      ...(before === undefined ? {} : { before: entry(before) }),
      ...(pod.manifest === undefined ? {} : { after: entry(pod.manifest) }),
      units: Object.fromEntries(pod.units.map((u) => [u.unit, u.verdict])),
    };
  });
  return {
    apiVersion: API,
    kind: KIND,
    input,
    sources: Object.fromEntries(texts.map((t) => [t.source, sha256(new TextEncoder().encode(t.text))])),
    images: Object.fromEntries([...images.values()].map((i) => [i.reference, i.digest])),
    keyless: key === undefined,
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    pods,
  };
}

export function planText(plan: SavedPlan): string {
  return `${JSON.stringify(plan, null, 1)}\n`;
}

/** Whether a text is meant as a saved plan; it may be a damaged one. */
export function isPlanText(text: string): boolean {
  return HEAD.test(text.slice(0, 200));
}

/** Undefined where it is damaged. */
export function parsePlan(text: string): SavedPlan | undefined {
  try {
    const { input, sources, images, files, pods, keyless } = JSON.parse(text) as SavedPlan;
    const lists = [input.files, input.kustomize, input.envFiles, input.values, input.set, files, pods];
    const maps = [sources, images, ...pods.map((p) => p.units)];
    if (!lists.every(Array.isArray) || !maps.every((m) => typeof m === "object" && m !== null)) return undefined;
    return { apiVersion: API, kind: KIND, input, sources, images, keyless, files, pods };
  } catch {
    return undefined;
  }
}

/** The words by which the same is proposed again; `set`: values given for the names of --set. */
export function replay(input: PlanInput, set: readonly string[]): Args {
  const given = new Map(set.map((word) => [word.split("=", 1)[0] ?? "", word]));
  return new Args({
    filename: input.files,
    kustomize: input.kustomize,
    recursive: input.recursive,
    "env-file": input.envFiles,
    values: input.values,
    set: input.set.map((name) => given.get(name) ?? name),
    prune: input.prune,
  });
}

/**
 * What has moved since the plan was made, a line each, the causes before what follows from them; empty: the plan holds. `locked`: a
 * key for secrets may have been made meanwhile, by us.
 */
export function movedSince(plan: SavedPlan, now: SavedPlan, locked = false): string[] {
  const sources = differences(plan.sources, now.sources).map((s) => `${s} has changed`);
  const images = differences(plan.images, now.images).map((name) => {
    const [was, is] = [plan.images[name], now.images[name]].map((digest) => digest?.slice(0, 19) ?? "none");
    return `image ${name} was ${was} and is ${is}`;
  });
  const first = [...sources, ...images];
  if (first.length > 0) return first;
  const entries = movedPods(plan, now, (pod) => pod.before ?? "").map((name) => `${name} is installed in another version`);
  if (entries.length > 0) return entries;
  const loose = plan.keyless && locked;
  const content = (file: PlannedFile): string => JSON.stringify([file.action, file.before, ...(loose ? [] : [file.after])]);
  const named = ({ files }: SavedPlan): Record<string, string> =>
    Object.fromEntries(files.map((f) => [loose ? f.path.replace(/\/[0-9a-f]{32}\//, "/") : f.path, content(f)]));
  const files = differences(named(plan), named(now)).map((path) => `${path} is, or would become, another`);
  if (files.length > 0) return files;
  return movedPods(plan, now, (pod) => JSON.stringify([pod.verdict, loose ? "" : pod.after, pod.units])).map(
    (name) => `${name} runs or is stopped, or would become, other than it was then`,
  );
}

function movedPods(plan: SavedPlan, now: SavedPlan, what: (pod: PlannedPod) => string): string[] {
  const named = ({ pods }: SavedPlan): Record<string, string> => Object.fromEntries(pods.map((p) => [p.name, what(p)]));
  return differences(named(plan), named(now)).map((name) => (name.includes("/") ? name : `pod ${name}`));
}

function differences(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}
