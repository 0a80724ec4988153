// Where a pod's things lie below podgen's folders (src/README.md, Places).
import type { Paths } from "../base/facts.js";
import { INFRA, runDir } from "./names.js";

/** The folder of a bundle's config.json; `_infra` for infra. */
export function bundleFolder(paths: Paths, pod: string, container: string): string {
  return `${paths.data}/pods/${pod}/${container}`;
}

/** A container's writable layer, fresh at each start. */
export function upperFolder(paths: Paths, pod: string, container: string): string {
  return `${paths.data}/containers/${pod}/${container}`;
}

/** With other ids (`map`: PlannedUserns' digest) it is another one: what an earlier container has left belongs to nobody in it. */
export function emptyDirFolder(paths: Paths, pod: string, volume: string, map?: string): string {
  return `${paths.data}/empty/${pod}/${volume}${map === undefined ? "" : `_${map}`}`;
}

/** An emptyDir of medium Memory: a folder of infra's, who mounts a tmpfs on it in its own mount namespace. */
export function memoryFolder(paths: Paths, pod: string, volume: string): string {
  return `${paths.run}/${runDir(pod, INFRA)}/volumes/${volume}`;
}

export function claimFolder(paths: Paths, claim: string): string {
  return `${paths.data}/volumes/${claim}`;
}

/** An unpacked layer, by the hex of its diff_id. */
export function layerFolder(paths: Paths, diffId: string): string {
  return `${paths.data}/storage/layers/${diffId.replace(/^sha256:/, "")}`;
}

/** The name of a layer whose files have the ids of a pod's own user namespace; `map`: PlannedUserns' digest. */
export function shiftedName(diffId: string, map: string): string {
  return `${diffId.replace(/^sha256:/, "")}-${map}`;
}

export function shiftedFolder(paths: Paths, diffId: string, map: string): string {
  return `${paths.data}/storage/shifted/${shiftedName(diffId, map)}`;
}

/**
 * Folders that go with the pod. Each container's and volume's is named beside the one above them, so that one that is
 * dropped from the spec can go alone and a deleted pod leaves no empty parent.
 */
export function podFolders(paths: Paths, pod: string, containers: readonly string[], emptyDirs: readonly string[], map?: string): string[] {
  const folders = [`${paths.data}/containers/${pod}`, ...containers.map((name) => upperFolder(paths, pod, name))];
  if (emptyDirs.length > 0) folders.push(`${paths.data}/empty/${pod}`, ...emptyDirs.map((name) => emptyDirFolder(paths, pod, name, map)));
  // What ran leaves its state and, in memory, its volumes of medium Memory.
  folders.push(`${paths.run}/pods/${pod}`);
  return folders;
}

/** Normalises a path inside a container: one slash between segments, none at the end, from the root. */
export function cleanPath(path: string): string {
  const segments = path.split("/").filter((s) => s !== "" && s !== ".");
  return `/${segments.join("/")}`;
}

/** True when a relative path stays beneath the folder it is joined to. */
export function staysBeneath(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !path.includes("\0") && path.split("/").every((s) => s !== ".." && s !== "." && s !== "");
}

/** Sorted by path segments, so that a folder comes before what lies in it. */
export function parentsFirst<T extends { readonly destination: string }>(list: readonly T[]): T[] {
  // NUL sorts before every character a path may have: "/a/b" comes before "/a-b", and right after "/a".
  const key = (item: T): string => item.destination.replace(/\//g, "\0");
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** The list of the pods behind a Service's port, which podrt balance reads. `unit`: its units' stem. */
export function serviceList(paths: Paths, service: string, unit: string): string {
  return `${paths.data}/services/${service}/${unit.slice(unit.indexOf("__") + 2)}`;
}

/** The same of a pod's published port that stand-ins have, too. No container's name begins so. */
export function portList(paths: Paths, pod: string, unit: string): string {
  return `${paths.data}/pods/${pod}/_ports/${unit.slice(unit.indexOf("__") + 2)}`;
}

/** What podrt job is told of a Job. */
export function jobFile(paths: Paths, job: string): string {
  return `${paths.data}/jobs/${job}/job.json`;
}

/** What it remembers of it. */
export function jobState(paths: Paths, job: string): string {
  return `${paths.state}/jobs/${job}.json`;
}

/** What podrt cron reads of a CronJob. */
export function cronFile(paths: Paths, cron: string): string {
  return `${paths.data}/cron/${cron}/cron.json`;
}

/** What podrt cron remembers; the folder is the CronJob's own. */
export function cronState(paths: Paths, cron: string): string {
  return `${paths.state}/cron/${cron}/state.json`;
}

/** Where the states of its Jobs lie when these have ended and others are in their place. */
export function cronHistory(paths: Paths, cron: string): string {
  return `${paths.state}/jobs/history/${cron}`;
}

/** There once it was looked at since the boot. */
export function cronMark(paths: Paths, cron: string): string {
  return `${paths.run}/cron/${cron}`;
}
