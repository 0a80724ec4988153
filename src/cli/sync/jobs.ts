// What a sync copies: from whole place to whole place, named as skopeo-sync(1) names them. Pure.
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

/** One job an image, and names that two of them would share. */
export function jobsFor(sources: readonly SyncSource[], target: SyncTarget): { readonly jobs: SyncJob[]; readonly clashes: string[] } {
  const jobs = sources.map(({ place, name, group, side = {} }) => ({ from: place, to: placeIn(target, name), side, group }));
  const owners = new Map<string, string>();
  const clashes: string[] = [];
  for (const { from, to } of jobs) {
    const other = owners.get(to);
    if (other !== undefined && other !== from) clashes.push(`${other} and ${from} would both be ${to}`);
    owners.set(to, from);
  }
  return { jobs: jobs.filter((job, i) => jobs.findIndex((other) => other.to === job.to) === i), clashes };
}

function placeIn({ kind, root, scoped, suffix }: SyncTarget, name: string): string {
  const kept = (scoped ? name : name.slice(name.lastIndexOf("/") + 1)) + (name.includes("@") ? "" : suffix);
  if (kind === "oci") return `oci:${root}:${kept}`;
  if (kind === "dir") return `dir:${root === "/" ? "" : root}/${kept}`;
  // In a registry a host's port would be taken for a tag.
  const safe = kept.replace(/^([^/]+):(\d+)\//, "$1-$2/");
  return `docker://${root}/${/[:@][^/]*$/.test(safe) ? safe : `${safe}:latest`}`;
}
