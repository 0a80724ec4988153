// Pods and containers as people name them: `web`, `web/app`; and what the manifest knows of them.
import type { Manifest, UnitState } from "../base/installed.js";
import { statusOf } from "../status/index.js";
import type { ContainerStatus, PodStatus } from "../status/types.js";
import type { Context } from "./context.js";
import { UserError } from "./exit.js";
import { readManifest } from "./installed.js";

export interface Target {
  readonly pod: string;
  readonly container?: string;
}

export function parseTarget(word: string): Target {
  const [pod = "", container, ...more] = word.replace(/^pods?\//, "").split("/");
  if (pod === "" || container === "" || more.length > 0) throw new UserError(`${word}: name a POD or POD/CONTAINER`, 64);
  return container === undefined ? { pod } : { pod, container };
}

export async function manifestOf(context: Context): Promise<Manifest> {
  return readManifest(context.host.paths, await context.host.files());
}

/** Status of all pods, or of those named; a name that is not there is an error that lists what is. */
export async function statuses(context: Context, names: readonly string[]): Promise<PodStatus[]> {
  const manifest = await manifestOf(context);
  for (const name of names) requirePod(manifest, parseTarget(name).pod);
  const units = Object.keys(manifest.pods).length === 0 ? [] : await (await context.host.manager()).list(["pod-*"]);
  const all = statusOf(manifest, new Map(units.map((u: UnitState) => [u.name, u])));
  const wanted = new Set(names.map((n) => parseTarget(n).pod));
  return wanted.size === 0 ? all : all.filter((p) => wanted.has(p.name));
}

export function requirePod(manifest: Manifest, pod: string): void {
  if (manifest.pods[pod] !== undefined) return;
  const names = Object.keys(manifest.pods).sort();
  throw new UserError(`there is no pod "${pod}"`, 1, names.length === 0 ? "podgen has applied no pods yet" : `pods: ${names.join(", ")}`);
}

/** The one container meant: named, or the only one that is no init container; else the error lists them. */
export function pickContainer(pod: PodStatus, name: string | undefined): ContainerStatus {
  const containers = pod.containers;
  if (name !== undefined) {
    const found = containers.find((c) => c.name === name);
    if (found === undefined)
      throw new UserError(`pod ${pod.name} has no container "${name}"`, 1, `containers: ${containers.map((c) => c.name).join(", ")}`);
    return found;
  }
  const mains = containers.filter((c) => !c.init);
  const [first] = mains;
  if (first === undefined) throw new UserError(`pod ${pod.name} has no containers`);
  if (mains.length > 1)
    throw new UserError(`pod ${pod.name} has several containers`, 1, `name one: ${mains.map((c) => `${pod.name}/${c.name}`).join(", ")}`);
  return first;
}
