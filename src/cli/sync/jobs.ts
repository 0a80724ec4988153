// What a sync copies: from whole place to whole place, named as skopeo-sync(1) names them. Pure.
import { resolve } from "node:path";
import type { Side } from "../../ports/image-copy.js";

export interface SyncJob {
  readonly from: string;
  readonly to: string;
  readonly side: Side;
  /** Jobs of one group share layers, and go one after the other. */
  readonly group: string;
}

/** An image of the source: its place, and its name in the place that all of them are of. */
export interface SyncSource {
  readonly place: string;
  /** `HOST/REPOSITORY:TAG`, `HOST/REPOSITORY@DIGEST`, or the path of a folder below the one that was named. */
  readonly name: string;
  readonly group: string;
  readonly side?: Side;
}

export interface SyncTarget {
  readonly kind: "docker" | "dir" | "oci";
  /** `HOST[/PATH]`, or an absolute path. */
  readonly root: string;
  /** The whole name below it, and not its last part alone. */
  readonly scoped: boolean;
  readonly suffix: string;
}

/** `clashes`: names that two of them would share, or folders of which one would be inside the other, which is replaced as a whole; `refused`: images whose names would lead out of the target. Both say which. */
export interface SyncJobs {
  readonly jobs: SyncJob[];
  readonly clashes: string[];
  readonly refused: string[];
}

/** One job an image. */
export function jobsFor(sources: readonly SyncSource[], target: SyncTarget): SyncJobs {
  const inside = sources.filter(({ name }) => staysBelow(target, name));
  const refused = sources
    .filter((source) => !inside.includes(source))
    .map(({ place }) => `${JSON.stringify(place).slice(1, -1)} would not be below ${target.root}`);
  const jobs = inside.map(({ place, name, group, side = {} }) => ({ from: place, to: placeIn(target, name), side, group }));
  const owners = new Map<string, string>();
  const clashes: string[] = [];
  for (const { from, to } of jobs) {
    const other = owners.get(to);
    if (other !== undefined && other !== from) clashes.push(`${other} and ${from} would both be ${to}`);
    owners.set(to, from);
  }
  if (target.kind === "dir")
    for (const { from, to } of jobs) {
      const around = above(to).find((folder) => owners.has(folder));
      if (around !== undefined) clashes.push(`${from} would be ${to}, inside of ${owners.get(around)}`);
    }
  return { jobs: jobs.filter((job, i) => jobs.findIndex((other) => other.to === job.to) === i), clashes, refused };
}

/** The folders that one is in. */
function above(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** What of a name is kept in the target. */
function keptOf({ scoped, suffix }: SyncTarget, name: string): string {
  return (scoped ? name : name.slice(name.lastIndexOf("/") + 1)) + (name.includes("@") ? "" : suffix);
}

/** A layout's names are what its maker wrote, also `../..`; a layout that is the target takes them as text. */
function staysBelow(target: SyncTarget, name: string): boolean {
  if (target.kind === "oci") return true;
  const kept = keptOf(target, name);
  if (/\p{Cc}/u.test(kept) || kept.split("/").some((part) => part === "" || part === "." || part === "..")) return false;
  if (target.kind === "docker") return true;
  const root = target.root === "/" ? "" : target.root;
  return resolve(`${root}/`, kept) === `${root}/${kept}`;
}

function placeIn(target: SyncTarget, name: string): string {
  const { kind, root } = target;
  const kept = keptOf(target, name);
  if (kind === "oci") return `oci:${root}:${kept}`;
  if (kind === "dir") return `dir:${root === "/" ? "" : root}/${kept}`;
  // In a registry a host's port would be taken for a tag.
  const safe = kept.replace(/^([^/]+):(\d+)\//, "$1-$2/");
  return `docker://${root}/${/[:@][^/]*$/.test(safe) ? safe : `${safe}:latest`}`;
}
