// Jobs in a change set: their pods are started and stopped by their controllers alone, and what those remember goes and comes back with them.
import type { Installed, ManifestPod } from "../base/installed.js";
import { isDriven, type JobRecord, parseJobState } from "../base/job.js";
import type { RenderedPod } from "../render/types.js";
import type { FileChange, PodChange, UnitChange } from "./types.js";

/** Units of a Job's pod: what is new, or another, counts from its next attempt on. */
export function withoutJobs(pod: RenderedPod, units: readonly UnitChange[], files: readonly FileChange[]): UnitChange[] {
  if (!isDriven(pod.owner)) return [...units];
  const changed = new Set(files.filter((f) => f.kind === "unit").map((f) => f.path));
  return units.map((unit): UnitChange => {
    if (unit.verdict === "remove" || unit.refresh === true) return unit;
    const { along: _, renewed: _renewed, recreate: _recreate, ...rest } = unit;
    const own = pod.units.find((u) => u.name === unit.unit)?.files ?? [];
    const reloads = own.some((path) => changed.has(path));
    return reloads ? { ...rest, verdict: "reload" } : { ...rest, verdict: "unchanged", reasons: [] };
  });
}

/** What a controller remembers: gone with a Job that is deleted, and where it runs anew after its time; else put back with a failed change. */
export function changeState(
  job: JobRecord | undefined,
  installed: Installed,
  wanted: boolean,
): { readonly files: readonly FileChange[]; readonly kept: NonNullable<PodChange["kept"]> } {
  const before = job === undefined ? undefined : installed.files.get(job.state);
  if (job === undefined || before === undefined) return { files: [], kept: [] };
  const expired = job.cron === undefined && parseJobState(before)?.phase === "expired";
  if (!wanted || expired)
    return { files: [{ path: job.state, action: "remove", kind: "data", secret: false, mode: MODE, before }], kept: [] };
  return { files: [], kept: [{ path: job.state, bytes: before, mode: MODE }] };
}

const MODE = 0o600;

/** Names of pods of Jobs that go while their Job stays: they are stopped when its controller has begun with what it is to be. */
export function surplus(pods: readonly Pick<PodChange, "name" | "manifest">[], installed: Readonly<Record<string, ManifestPod>>): string[] {
  const staying = new Set(pods.filter((p) => p.manifest?.job !== undefined).map((p) => p.manifest?.job?.name));
  return pods.flatMap(({ name, manifest }) => {
    const owner = installed[name]?.owner;
    return manifest === undefined && isDriven(owner) && staying.has(owner?.name) ? [name] : [];
  });
}
