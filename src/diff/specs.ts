// The specs that were applied last against those that would be: per object, whatever of it reaches a unit. Pure.
import { cronKey } from "../base/cron.js";
import type { Manifest, ManifestPod } from "../base/installed.js";
import { jobKey } from "../base/job.js";
import { recordOf } from "../base/record.js";
import { serviceKey } from "../base/service.js";
import { sameEntry } from "./manifest.js";
import type { ChangeSet } from "./types.js";

/** `Pod/web` -> one text for the same content. */
type Texts = Readonly<Record<string, string>>;
type Applied = Pick<Manifest, "pods" | "objects">;

export interface SpecChange {
  /** `Pod/web` */
  readonly object: string;
  readonly action: "create" | "update" | "remove";
  readonly before?: string;
  readonly after?: string;
}

export interface SpecChanges {
  readonly changes: readonly SpecChange[];
  /** Objects that were applied before their specs were kept: there is nothing to compare with. */
  readonly unknown: readonly string[];
}

/** `before`: what was applied last; `wanted`: what the specs say now, of which what comes to nothing is left out. */
export function compareSpecs(before: Texts, wanted: Texts, manifest: Manifest, changes: ChangeSet): SpecChanges {
  const then = after(manifest, changes);
  const found: SpecChange[] = [];
  const unknown: string[] = [];
  for (const object of [...new Set([...Object.keys(before), ...Object.keys(wanted)])].sort()) {
    const there = isApplied(object, manifest);
    const was = there ? before[object] : undefined;
    const stays = was !== undefined || isApplied(object, then);
    const will = object in wanted ? (stays ? wanted[object] : undefined) : isApplied(object, then) ? was : undefined;
    if (there && was === undefined) unknown.push(object);
    else if (was !== will)
      found.push({
        object,
        action: was === undefined ? "create" : will === undefined ? "remove" : "update",
        ...(was === undefined ? {} : { before: was }),
        ...(will === undefined ? {} : { after: will }),
      });
  }
  return { changes: found, unknown };
}

/**
 * What is kept once a change set was carried out, or had nothing to do: of what `now` is as it was wanted the new spec, of what is there
 * otherwise the old one. `wanted` has undefined for what came to be by a way that does not tell its spec.
 */
export function keptSpecs(before: Texts, wanted: Readonly<Record<string, string | undefined>>, changes: ChangeSet, now: Applied): Texts {
  const meant = new Map(changes.pods.map((p) => [p.name, p.manifest]));
  const came = (object: string): boolean => {
    const stored = now.objects[object];
    if (stored !== undefined) return stored.sha256 === changes.objects[object]?.sha256;
    const entries = entriesOf(object, now);
    return entries.length > 0 && entries.every((entry) => isAs(meant.get(entry.name), entry));
  };
  const kept = new Map(Object.entries(before).filter(([object]) => isApplied(object, now)));
  for (const [object, text] of Object.entries(wanted)) {
    if (!came(object)) continue;
    if (text === undefined) kept.delete(object);
    else kept.set(object, text);
  }
  return recordOf([...kept].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isAs(meant: ManifestPod | undefined, entry: ManifestPod): boolean {
  return meant === entry || (meant !== undefined && sameEntry(entry, meant));
}

/** What the manifest says when all goes well. */
function after(manifest: Manifest, changes: ChangeSet): Applied {
  const pods = new Map(Object.entries(manifest.pods));
  for (const { name, manifest: entry } of changes.pods) {
    if (entry === undefined) pods.delete(name);
    else pods.set(name, entry);
  }
  return { pods: recordOf(pods), objects: changes.objects };
}

function isApplied(object: string, manifest: Applied): boolean {
  return manifest.objects[object] !== undefined || entriesOf(object, manifest).length > 0;
}

/** The names under which the manifest has what is no pod and no workload. */
const KEYS: Readonly<Record<string, (name: string) => string>> = { Service: serviceKey, Job: jobKey, CronJob: cronKey };

/** What the manifest has of an object: itself, or its pods. */
function entriesOf(object: string, { pods }: Applied): ManifestPod[] {
  const slash = object.indexOf("/");
  const [kind, name] = [object.slice(0, slash), object.slice(slash + 1)];
  const own = pods[kind === "Pod" ? name : (KEYS[kind]?.(name) ?? "")];
  if (kind === "Pod") return own === undefined || own.owner !== undefined ? [] : [own];
  if (KEYS[kind] !== undefined) return own === undefined ? [] : [own];
  return Object.values(pods).filter(({ owner }) => owner?.kind === kind && owner.name === name);
}
