// Pods that were applied from the folder and that its files do not have any more.
import type { Manifest } from "../../base/installed.js";

/** What a look has found in the folder. Sources are absolute paths. */
export interface Found {
  /** Files that were read. */
  readonly sources: ReadonlySet<string>;
  /** Files, and folders in the folder, that could not be read: what they hold is not known. */
  readonly unread: readonly string[];
  /** Names of the pods of each file that is good; of another file it is not known which pods it has. */
  readonly declared: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Pods of one source that are missing for one reason. */
export interface Missed {
  readonly source: string;
  /** None of a file that is gone and held only ConfigMaps and Secrets, which no pod refers to. */
  readonly pods: readonly string[];
  /** The file is there and good, and has these pods no more; else the file is gone. */
  readonly taken: boolean;
  /**
   * Whether --prune may delete them. A file without any pod, and a folder without any file, is more often a mistake (a
   * full disk, a mount that is missing) than a wish.
   */
  readonly prunable: boolean;
}

/** Pure. Sorted as the manifest is. */
export function findMissing(manifest: Manifest, folder: string, found: Found): Missed[] {
  const declared = new Set([...found.declared.values()].flatMap((names) => [...names]));
  const hidden = (source: string): boolean => found.unread.some((path) => source === path || source.startsWith(`${path}/`));
  const empty = found.sources.size + found.unread.length === 0;
  const missed = new Map<string, { source: string; pods: string[]; taken: boolean; prunable: boolean }>();
  for (const { name, source } of Object.values(manifest.pods)) {
    if (!isWithin(source, folder) || declared.has(name) || hidden(source)) continue;
    const present = found.sources.has(source);
    const names = found.declared.get(source);
    if (present && names === undefined) continue;
    const one = missed.get(source) ?? { source, pods: [], taken: present, prunable: present ? names?.size !== 0 : !empty };
    one.pods.push(name);
    missed.set(source, one);
  }
  // What a pod refers to, or what came with one, is the pods' matter.
  const used = new Set(Object.values(manifest.pods).flatMap((p) => p.objects));
  for (const [key, { source = "" }] of Object.entries(manifest.objects)) {
    const gone = isWithin(source, folder) && !found.sources.has(source) && !hidden(source);
    if (gone && !missed.has(source) && !used.has(key)) missed.set(source, { source, pods: [], taken: false, prunable: !empty });
  }
  return [...missed.values()];
}

/** A file of the folder, or the folder itself: the source of what kustomize makes of it. */
function isWithin(source: string, folder: string): boolean {
  return source === folder || source.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** What is counted: each pod by itself; a file without pods by its path, which no pod's name is. */
function namesOf(missed: Missed): readonly string[] {
  return missed.pods.length === 0 ? [missed.source] : missed.pods;
}

/** Since when pods have been missing, and of which it was said. */
export class Absences {
  readonly #since = new Map<string, number>();
  readonly #announced = new Set<string>();

  /** What has been missing for `awayMs` at least, and whether there is more for which it is too early. */
  settle(missed: readonly Missed[], now: number, awayMs: number): { gone: Missed[]; early: boolean } {
    const names = new Set(missed.flatMap(namesOf));
    for (const name of [...this.#since.keys()]) if (!names.has(name)) this.#drop(name);
    for (const name of names) this.#since.set(name, this.#since.get(name) ?? now);
    const isGone = (name: string): boolean => now - (this.#since.get(name) ?? now) >= awayMs;
    const gone = missed.filter((m) => namesOf(m).some(isGone)).map((m) => ({ ...m, pods: m.pods.filter(isGone) }));
    return { gone, early: [...names].some((name) => !isGone(name)) };
  }

  /** What of this was not announced since it is missing, and is now; undefined when nothing. */
  announce(missed: Missed): Missed | undefined {
    const fresh = namesOf(missed).filter((name) => !this.#announced.has(name));
    for (const name of fresh) this.#announced.add(name);
    return fresh.length === 0 ? undefined : { ...missed, pods: missed.pods.filter((name) => fresh.includes(name)) };
  }

  /** They are deleted. */
  forget(missed: Missed): void {
    for (const name of namesOf(missed)) this.#drop(name);
  }

  /** The whole folder is away: what is missing when it is back has been so from then on. */
  restart(): void {
    this.#since.clear();
  }

  #drop(name: string): void {
    this.#since.delete(name);
    this.#announced.delete(name);
  }
}
