// How long installed pods may take to become ready, by what their probes allow: for jobs that nobody has planned just now.
import type { Manifest } from "../base/installed.js";
import { patience } from "../plan/probes.js";
import type { PlannedContainer } from "../plan/types.js";
import type { Context } from "./context.js";

const PROBES = "/probe.json";

/** Seconds, beyond those of a pod without probes, for this pod and all that it waits for. */
export async function patienceOf(context: Context, manifest: Manifest, pod: string): Promise<number> {
  const all = new Set([pod]);
  for (const name of all) for (const edge of manifest.pods[name]?.after ?? []) all.add(edge.pod);
  const seconds = await Promise.all([...all].map((name) => ofPod(context, manifest, name)));
  return seconds.reduce((sum, s) => sum + s, 0);
}

async function ofPod(context: Context, manifest: Manifest, pod: string): Promise<number> {
  const paths = (manifest.pods[pod]?.files ?? []).map((f) => f.path).filter((path) => path.endsWith(PROBES));
  if (paths.length === 0) return 0;
  const files = await context.host.files();
  const seconds = await Promise.all(paths.map(async (path) => ofFile(await files.read(path))));
  return Math.max(...seconds);
}

/** What podgen wrote, with the names of the model; what somebody has broken counts for nothing. */
function ofFile(bytes: Uint8Array | undefined): number {
  try {
    const probes: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const seconds = patience({ probes: probes as NonNullable<PlannedContainer["probes"]> });
    return Number.isFinite(seconds) ? seconds : 0;
  } catch {
    return 0;
  }
}
