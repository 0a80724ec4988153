// Reads the present state for diff: the manifest, the bytes on disk, the units, what runs. Readers only.
import type { HostFacts, Paths } from "../base/facts.js";
import { EMPTY_MANIFEST, type Installed, type Manifest, type RunState, type UnitState } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import { type AppliedObjects, parseAppliedObjects } from "../plan/objects.js";
import type { FileReader } from "../ports/files.js";
import type { Listed, ManagerReader, UnitFile } from "../ports/manager.js";
import type { RuntimeReader } from "../ports/runtime.js";
import type { Rendered } from "../render/types.js";
import { UserError } from "./exit.js";

export function manifestPath(paths: Paths): string {
  return `${paths.state}/manifest.json`;
}

/** The manifest; the empty one where podgen never applied. A damaged one is an error: guessing could remove what is not ours. */
export async function readManifest(paths: Paths, files: FileReader): Promise<Manifest> {
  const path = manifestPath(paths);
  const bytes = await files.read(path);
  if (bytes === undefined) return EMPTY_MANIFEST;
  try {
    return parseManifest(new TextDecoder().decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${path}: not a manifest this podgen can read (${why})`, 1, "move it away to start anew; podgen then owns nothing");
  }
}

/** The manifest from its text. Throws on what is none of a known version. */
export function parseManifest(text: string): Manifest {
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.version !== 1 || typeof manifest.pods !== "object" || typeof manifest.objects !== "object")
    throw new Error(`version ${String(manifest.version)}`);
  const pods = Object.entries(manifest.pods).map(
    ([name, pod]) => [name, { ...pod, images: recordOf(Object.entries(pod.images)) }] as const,
  );
  return { ...manifest, pods: recordOf(pods), objects: recordOf(Object.entries(manifest.objects)) };
}

/** ConfigMaps and Secrets of earlier applies, by name. */
export async function readObjects(manifest: Manifest, read: (path: string) => Promise<Uint8Array | undefined>): Promise<AppliedObjects> {
  const entries = await Promise.all(Object.entries(manifest.objects).map(async ([key, file]) => [key, await read(file.path)] as const));
  return parseAppliedObjects(new Map(entries.flatMap(([key, bytes]) => (bytes === undefined ? [] : [[key, bytes] as const]))));
}

/** Everything diff compares with. `rendered` names the paths and units that matter beside the manifest's. */
export async function readInstalled(
  rendered: Rendered,
  manifest: Manifest,
  facts: HostFacts,
  given: { files: FileReader; manager: ManagerReader; runtime: RuntimeReader },
): Promise<Installed> {
  const paths = new Set<string>();
  for (const file of [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)]) paths.add(file.path);
  for (const pod of Object.values(manifest.pods)) for (const file of pod.files) paths.add(file.path);
  for (const object of Object.values(manifest.objects)) paths.add(object.path);
  // What controllers remember is no file of podgen's, and yet what the verdict on a Job goes by.
  for (const { job } of [...rendered.pods, ...Object.values(manifest.pods)]) if (job !== undefined) paths.add(job.state);

  const patterns = ["pod-*", "podgen-svc-*", "podgen-job-*", "podgen-cron-*", "podgen-pause.service"];
  const [files, { units, onDisk }, running] = await Promise.all([
    readAll(given.files, paths),
    listUnits(given.manager, patterns, manifest),
    readRunning(rendered, manifest, given.runtime),
  ]);
  return {
    manifest,
    files,
    units: new Map(units.map((u: UnitState) => [u.name, u])),
    running,
    foreign: foreignUnits(onDisk, units, manifest, facts),
  };
}

/**
 * The units, and the unit files. How a service ended matters only of containers and uplinks that do not run (a service has some 350
 * properties). Of what runs from a file of ours, put there by an apply that was finished, the listing says it all.
 */
async function listUnits(
  manager: ManagerReader,
  patterns: readonly string[],
  manifest: Manifest,
): Promise<{ units: UnitState[]; onDisk: ReadonlyMap<string, UnitFile> }> {
  const onDisk = await manager.unitFiles(patterns);
  const pods = Object.values(manifest.pods).filter((pod) => pod.unfinished !== true);
  const ours = new Set(pods.flatMap((pod) => pod.files.map((f) => f.path)));
  const settled = (unit: Listed): boolean =>
    unit.activeState === "active" && unit.loadState === "loaded" && unit.job === 0 && ours.has(onDisk.get(unit.name)?.path ?? "");
  const ended = (unit: Listed): boolean => /^pod-[^_]+_([^_]+|_uplink)\.service$/.test(unit.name) && unit.activeState !== "active";
  const units = await manager.list(patterns, (unit) => (settled(unit) ? "listed" : ended(unit) ? "full" : "brief"));
  const complete = units.map((unit) => {
    const file = unit.fragmentPath === "" ? onDisk.get(unit.name) : undefined;
    return file === undefined ? unit : { ...unit, unitFileState: file.state, fragmentPath: file.path };
  });
  return { units: complete, onDisk };
}

async function readAll(files: FileReader, paths: ReadonlySet<string>): Promise<Map<string, Uint8Array>> {
  const pairs = await Promise.all([...paths].map(async (path) => [path, await files.read(path)] as const));
  return new Map(pairs.flatMap(([path, bytes]) => (bytes === undefined ? [] : [[path, bytes] as const])));
}

async function readRunning(rendered: Rendered, manifest: Manifest, runtime: RuntimeReader): Promise<Map<string, RunState>> {
  const wanted = new Set<string>();
  for (const pod of rendered.pods)
    for (const unit of pod.units) if (unit.container !== undefined) wanted.add(`${pod.name}/${unit.container}`);
  for (const pod of Object.values(manifest.pods)) {
    wanted.add(`${pod.name}/_infra`);
    for (const name of Object.keys(pod.images)) wanted.add(`${pod.name}/${name}`);
  }
  const states = await Promise.all(
    [...wanted].map(async (key) => {
      const [pod = "", container = ""] = key.split("/");
      return [key, await runtime.state(pod, container)] as const;
    }),
  );
  return new Map(states.flatMap(([key, state]) => (state === undefined ? [] : [[key, state] as const])));
}

/** Unit files of our names that the manifest does not own: by their path on disk, or by what a generator loaded. */
function foreignUnits(
  onDisk: ReadonlyMap<string, UnitFile>,
  units: readonly UnitState[],
  manifest: Manifest,
  facts: HostFacts,
): Map<string, string> {
  const owned = new Set(Object.values(manifest.pods).flatMap((p) => p.files.map((f) => f.path)));
  owned.add(`${facts.paths.units}/podgen-pause.service`);
  const foreign = new Map<string, string>();
  for (const [name, { path }] of onDisk) if (!owned.has(path)) foreign.set(name, path);
  for (const unit of units) if (unit.fragmentPath !== "" && !owned.has(unit.fragmentPath)) foreign.set(unit.name, unit.fragmentPath);
  return foreign;
}
