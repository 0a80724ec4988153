// Versions of pods that failed, or were left by a rollback: who acts by itself (watch) does not try them again until they are others.
import type { Paths } from "../base/facts.js";
import type { ManifestPod } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import { canonical, sha256 } from "../diff/manifest.js";
import type { FileReader, FileWriter } from "../ports/files.js";
import type { SpecText } from "./input.js";

/** One version of a pod, by digests. */
export interface Rejected {
  /** Of all that it would be: files, images, objects. */
  readonly wanted: string;
  /** Of its file's text and variables; absent: whatever the text. */
  readonly text?: string;
}

export type RejectedPods = Readonly<Record<string, Rejected>>;

/** What is remembered; nothing where there is no file, or a damaged one: then it is tried once more, and remembered again. */
export async function readRejected(paths: Pick<Paths, "state">, files: FileReader): Promise<Record<string, Rejected>> {
  const bytes = await files.read(pathOf(paths));
  if (bytes === undefined) return recordOf();
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as RejectedPods;
    return recordOf(Object.entries(found).filter(([, one]) => typeof one?.wanted === "string"));
  } catch {
    return recordOf();
  }
}

export async function writeRejected(paths: Pick<Paths, "state">, files: FileWriter, rejected: RejectedPods): Promise<void> {
  if (Object.keys(rejected).length === 0) await files.remove(pathOf(paths), paths.state);
  else await files.write(pathOf(paths), new TextEncoder().encode(`${JSON.stringify(rejected)}\n`), 0o600);
}

/** What a rollback leaves behind. */
export async function rejectVersions(paths: Pick<Paths, "state">, files: FileWriter, pods: readonly ManifestPod[]): Promise<void> {
  const before = await readRejected(paths, files);
  const fresh = pods.map((pod) => [pod.name, { wanted: digestOf(pod) }] as const);
  await writeRejected(paths, files, recordOf([...Object.entries(before), ...fresh]));
}

/**
 * After a transaction: what went well is rejected no more, whoever has asked for it; nor is what a rollback left of a pod that is gone.
 * Nothing is written where nothing was rejected.
 */
export async function settleRejected(
  paths: Pick<Paths, "state">,
  files: FileWriter,
  good: ReadonlySet<string>,
  there: Readonly<Record<string, ManifestPod>>,
): Promise<void> {
  const before = Object.entries(await readRejected(paths, files));
  const left = before.filter(([name, { text }]) => !good.has(name) && (text !== undefined || there[name] !== undefined));
  if (left.length < before.length) await writeRejected(paths, files, recordOf(left));
}

export function rejectedAs(wanted: ManifestPod, texts: readonly SpecText[]): Rejected {
  const found = texts.find((t) => t.source === wanted.source);
  const text = JSON.stringify([found?.text ?? "", [...(found?.variables?.values ?? [])]]);
  return { wanted: digestOf(wanted), text: sha256(new TextEncoder().encode(text)) };
}

export function isRejected(rejected: RejectedPods, wanted: ManifestPod, texts: readonly SpecText[]): boolean {
  const known = rejected[wanted.name];
  if (known === undefined) return false;
  const now = rejectedAs(wanted, texts);
  return known.wanted === now.wanted && (known.text === undefined || known.text === now.text);
}

function digestOf({ unfinished: _, fresh: __, ...pod }: ManifestPod): string {
  return sha256(new TextEncoder().encode(canonical(pod)));
}

function pathOf({ state }: Pick<Paths, "state">): string {
  return `${state}/rejected.json`;
}
