// Pods that are named on the command line, and what is known of them.
import type { LastEnd, Manifest, PodFailure, ProbeRecord, UnitState } from "../base/installed.js";
import { type JobState, parseJobState } from "../base/job.js";
import { ownerName } from "../base/owner.js";
import { serviceKey, shownKey } from "../base/service.js";
import { type Ends, endsToAsk, type Failures, failuresToAsk, type ProbeRecords, probedContainers, statusOf } from "../status/index.js";
import { jobsOf } from "../status/job.js";
import { servicesOf } from "../status/service.js";
import type { ContainerStatus, JobStatus, PodStatus, ServiceStatus } from "../status/types.js";
import type { Context } from "./context.js";
import { UserError } from "./exit.js";
import { heldPods } from "./holds.js";
import { readManifest } from "./installed.js";
import { type PodTarget, parseTarget, podsOf } from "./targets.js";

export { jobName, type PodTarget, parseTarget, podsOf, wholePod } from "./targets.js";

export async function manifestOf(context: Context): Promise<Manifest> {
  return readManifest(context.host.paths, await context.host.files());
}

/**
 * Status of all pods, or of those named, workloads' too; of `web/app` the pod with that container alone. A name that is not there is an
 * error that lists what is.
 */
export async function statuses(context: Context, names: readonly string[]): Promise<PodStatus[]> {
  const manifest = await manifestOf(context);
  const targets = names.flatMap((name) => podsOf(manifest, parseTarget(name)));
  const units = Object.keys(manifest.pods).length === 0 ? [] : await (await context.host.manager()).list(["pod-*"]);
  const states = new Map(units.map((u: UnitState) => [u.name, u]));
  const held = await heldPods(context.host.paths, await context.host.files());
  const all = statusOf(
    manifest,
    states,
    await lastEnds(context, endsToAsk(manifest, states)),
    await failures(context, failuresToAsk(manifest)),
    await probeRecords(context, manifest),
  ).map((pod) => (held.has(pod.name) ? { ...pod, held: true as const } : pod));
  return targets.length === 0 ? all : selectTargets(all, targets);
}

async function failures(context: Context, asked: readonly string[]): Promise<Failures> {
  const found = new Map<string, PodFailure>();
  if (asked.length === 0) return found;
  const runtime = await context.host.runtime();
  for (const pod of asked) {
    const failure = await runtime.podFailure(pod);
    if (failure !== undefined) found.set(pod, failure);
  }
  return found;
}

async function lastEnds(context: Context, asked: ReturnType<typeof endsToAsk>): Promise<Ends> {
  const ends = new Map<string, LastEnd>();
  if (asked.length === 0) return ends;
  const runtime = await context.host.runtime();
  for (const { pod, container } of asked) {
    const end = await runtime.lastEnd(pod, container);
    if (end !== undefined) ends.set(`${pod}/${container}`, end);
  }
  return ends;
}

async function probeRecords(context: Context, manifest: Manifest): Promise<ProbeRecords> {
  const records = new Map<string, ProbeRecord>();
  const asked = probedContainers(manifest);
  if (asked.length === 0) return records;
  const runtime = await context.host.runtime();
  for (const { pod, container } of asked) {
    const record = await runtime.probes(pod, container);
    if (record !== undefined) records.set(`${pod}/${container}`, record);
  }
  return records;
}

/** The pods that are meant, each with the containers that are: all, unless only some were named. */
function selectTargets(pods: readonly PodStatus[], targets: readonly PodTarget[]): PodStatus[] {
  return pods.flatMap((pod) => {
    const meant = targets.filter((t) => t.pod === pod.name);
    if (meant.length === 0) return [];
    if (meant.some((t) => t.container === undefined)) return [pod];
    const chosen = new Set(meant.map((t) => pickContainer(pod, t.container)));
    return [{ ...pod, containers: pod.containers.filter((c) => chosen.has(c)) }];
  });
}

/** Status of the one pod that is meant; of a workload with several, its first, which is said. */
export async function onePod(context: Context, name: string): Promise<PodStatus> {
  const [first, ...others] = await statuses(context, [name]);
  if (first === undefined) throw new UserError(`there is no pod "${name}"`);
  const all = others.length + 1;
  if (others.length > 0 && first.owner !== undefined)
    context.err.write(`podgen: ${ownerName(first.owner)} has ${all} pods: this is ${first.name}\n`);
  return first;
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
  const mains = containers.filter((c) => !c.init && !c.sidecar);
  const [first] = mains;
  if (first === undefined) throw new UserError(`pod ${pod.name} has no containers`);
  if (mains.length > 1)
    throw new UserError(`pod ${pod.name} has several containers`, 1, `name one: ${mains.map((c) => `${pod.name}/${c.name}`).join(", ")}`);
  return first;
}

/** Status of all Jobs, or of those named. */
export async function jobStatuses(context: Context, names: readonly string[] = []): Promise<JobStatus[]> {
  const manifest = await manifestOf(context);
  const jobs = Object.values(manifest.pods).flatMap((entry) => entry.job ?? []);
  if (jobs.length === 0) return [];
  const files = await context.host.files();
  const states = new Map<string, JobState>();
  for (const job of jobs) {
    const state = parseJobState(await files.read(job.state));
    if (state !== undefined) states.set(job.name, state);
  }
  const units = await (await context.host.manager()).list(["podgen-job-*"], () => "listed");
  const all = jobsOf(manifest, new Map(units.map((u) => [u.name, u])), states);
  return names.length === 0 ? all : all.filter((j) => names.includes(j.name));
}

/** `web` of `service/web` or `svc/web`; undefined for the name of a pod. */
export function serviceName(word: string): string | undefined {
  return /^(?:svc|services?)\/([^/]+)$/.exec(word)?.[1];
}

/** All Services, or those named. */
export async function serviceStatuses(context: Context, names: readonly string[] = []): Promise<ServiceStatus[]> {
  const manifest = await manifestOf(context);
  for (const key of names.map(serviceKey)) if (manifest.pods[key] === undefined) throw new UserError(`there is no ${shownKey(key)}`);
  if (Object.values(manifest.pods).every((entry) => entry.service === undefined)) return [];
  const manager = await context.host.manager();
  const units = await manager.list(["podgen-svc-*.socket"], () => "listed");
  const states = new Map(units.map((u) => [u.name, u]));
  const all = servicesOf(manifest, states, await statuses(context, []));
  return names.length === 0 ? all : all.filter((s) => names.includes(s.name));
}
