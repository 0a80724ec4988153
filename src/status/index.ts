// From the manifest and the manager's truth to PodStatus; pure.
import { type EndWord, endWord, OOM_EXIT_CODE } from "../base/end.js";
import type { LastEnd, Manifest, ManifestPod, PodFailure, ProbeRecord, UnitState } from "../base/installed.js";
import { waitsFor } from "../base/pod-order.js";
import { isPodKey } from "../base/service.js";
import { signalName } from "../base/signal.js";
import { readSocketUnit } from "../base/socket-unit.js";
import type { ContainerPhase, ContainerStatus, PodPhase, PodStatus } from "./types.js";

/** `pod/container` -> how it last ended, of those of endsToAsk. */
export type Ends = ReadonlyMap<string, LastEnd>;

/** Pod -> why podgen has ended it, of those it has. */
export type Failures = ReadonlyMap<string, PodFailure>;

/** Pods that podgen may have ended: those with a deadline. */
export function failuresToAsk(manifest: Manifest): string[] {
  return podEntries(manifest).flatMap((pod) => (pod.units.includes(`pod-${pod.name}__deadline.timer`) ? [pod.name] : []));
}

/** By name, a workload's pods together and by their numbers. */
function inOrder(a: PodStatus, b: PodStatus): number {
  const [first, second] = [a, b].map((pod) => `${pod.owner?.name ?? pod.name}`);
  if (first !== second) return (first ?? "") < (second ?? "") ? -1 : 1;
  return (a.owner?.index ?? -1) - (b.owner?.index ?? -1) || (a.name < b.name ? -1 : 1);
}
/** `pod/container` -> what its probes have found. */
export type ProbeRecords = ReadonlyMap<string, ProbeRecord>;

/** The status of every pod in the manifest, sorted by name; units absent from the map count as not loaded. */
export function statusOf(
  manifest: Manifest,
  units: ReadonlyMap<string, UnitState>,
  ends: Ends = new Map(),
  failures: Failures = new Map(),
  probes: ProbeRecords = new Map(),
): PodStatus[] {
  return podEntries(manifest)
    .map((pod) => podStatus(pod, units, ends, { failure: failures.get(pod.name), probes }))
    .sort(inOrder);
}

/** `pod/container` of those that have ended and were not started by a person since: how, the manager may have forgotten, and never knew their words. */
export function endsToAsk(
  manifest: Manifest,
  units: ReadonlyMap<string, UnitState>,
): { readonly pod: string; readonly container: string }[] {
  return podEntries(manifest).flatMap((pod) =>
    pod.units.flatMap((unit) => {
      const container = unitContainer(pod.name, unit);
      const service = units.get(unit)?.service;
      return container !== undefined && service !== undefined && hasEnded(service) ? [{ pod: pod.name, container }] : [];
    }),
  );
}

/** Without the Services and Jobs that stand among them. */
export function podEntries(manifest: Manifest): ManifestPod[] {
  return Object.values(manifest.pods).filter((entry) => isPodKey(entry.name));
}

/** `pod/container` of those that have probes. */
export function probedContainers(manifest: Manifest): { readonly pod: string; readonly container: string }[] {
  return podEntries(manifest).flatMap((pod) =>
    pod.units.flatMap((unit) => {
      const container = unitContainer(pod.name, unit);
      return container !== undefined && isProbed(pod, container) ? [{ pod: pod.name, container }] : [];
    }),
  );
}

function isProbed(pod: ManifestPod, container: string): boolean {
  return pod.units.includes(`pod-${pod.name}_${container}__probe.service`);
}

/** What is recorded of another process than the one that runs says nothing of it. */
function withProbes(container: ContainerStatus, probed: boolean, record: ProbeRecord | undefined): ContainerStatus {
  if (!probed || container.phase !== "Running") return container;
  const known = record?.pid === container.pid ? record : undefined;
  return { ...container, ready: known?.ready === true, ...(known === undefined ? {} : { probes: known.probes }) };
}

type Service = NonNullable<UnitState["service"]>;

function isForgotten(service: Service): boolean {
  return service.execMainCode === 0 && service.restarts > 0;
}

function hasEnded(service: Service): boolean {
  return service.execMainCode !== 0 || isForgotten(service);
}

function podStatus(
  pod: ManifestPod,
  units: ReadonlyMap<string, UnitState>,
  ends: Ends,
  { failure, probes }: { failure: PodFailure | undefined; probes: ProbeRecords },
): PodStatus {
  const podUnit = units.get(`pod-${pod.name}.service`);
  const order = pod.units.filter((u) => unitContainer(pod.name, u) !== undefined);
  const stopped = podUnit === undefined || podUnit.activeState === "inactive";
  const endOf = (unit: string): LastEnd | undefined => ends.get(`${pod.name}/${unitContainer(pod.name, unit)}`);
  const containers = order
    .map((unit) => containerStatus(pod, unit, units.get(unit), stopped, endOf(unit)))
    .map((c) => withProbes(c, isProbed(pod, c.name), probes.get(`${pod.name}/${c.name}`)));
  const mains = containers.filter((c) => !c.init);
  const waits = waitOf(pod, podUnit, units.get(`pod-${pod.name}__gate.service`));
  const started = containers.map((c) => c.startedAt).filter((t) => t !== undefined);
  return {
    name: pod.name,
    phase: failure !== undefined ? "Failed" : waits !== undefined ? "Waiting" : podPhase(podUnit, containers),
    ...(waits === undefined ? {} : { waitsFor: waits }),
    ...(failure === undefined ? {} : { reason: failure.reason }),
    ready: mains.filter((c) => c.ready).length,
    total: mains.length,
    restarts: containers.reduce((sum, c) => sum + c.restarts, 0),
    ...(started.length > 0 ? { startedAt: Math.min(...started) } : {}),
    source: pod.source,
    ...(pod.owner === undefined ? {} : { owner: pod.owner }),
    ports: pod.units.flatMap(portOf),
    enabled: podUnit?.unitFileState === "enabled",
    containers,
  };
}

/** A job of a pod that does not run yet waits for those before it; then its gate does, which says for whom. */
function waitOf(pod: ManifestPod, unit: UnitState | undefined, gate: UnitState | undefined): string | undefined {
  if (pod.after === undefined || pod.after.length === 0) return undefined;
  const all = waitsFor(pod.after);
  if (gate?.activeState === "activating") return gate.service?.statusText.replace(/^waits for /, "") || all;
  return unit?.activeState === "inactive" && unit.hasJob ? all : undefined;
}

/** `app` for `pod-web_app.service` of pod web; undefined for other units. Names never contain `_`. */
function unitContainer(pod: string, unit: string): string | undefined {
  const head = `pod-${pod}_`;
  if (!unit.startsWith(head) || !unit.endsWith(".service")) return undefined;
  const name = unit.slice(head.length, -".service".length);
  return name.includes("_") ? undefined : name;
}

/** `8080/tcp` for `pod-web__8080-tcp.socket`, with the host address in front when the name has one: `[::1]:8080/tcp`. */
function portOf(unit: string): string[] {
  const port = readSocketUnit(unit);
  if (port === undefined) return [];
  const { hostIP, hostPort, protocol } = port;
  const address = hostIP === "" ? "" : hostIP.includes(":") ? `[${hostIP}]:` : `${hostIP}:`;
  return [`${address}${hostPort}/${protocol.toLowerCase()}`];
}

function containerStatus(
  pod: ManifestPod,
  unit: string,
  state: UnitState | undefined,
  stopped: boolean,
  recorded: LastEnd | undefined,
): ContainerStatus {
  const name = unitContainer(pod.name, unit) ?? unit;
  const image = pod.images[name];
  const service = state?.service;
  const init = pod.inits.includes(name);
  const phase = containerPhase(state, init, stopped);
  return {
    name,
    unit,
    init,
    ...(pod.sidecars?.includes(name) ? { sidecar: true as const } : {}),
    phase,
    ready: phase === "Running" || (init && phase === "Completed"),
    restarts: service?.restarts ?? 0,
    pid: service?.mainPid ?? 0,
    ...(service === undefined ? {} : endOfService(service, recorded)),
    ...(service !== undefined && service.activeEnter > 0 ? { startedAt: Math.floor(service.activeEnter / 1000) } : {}),
    image: image?.reference ?? "",
    digest: image?.digest ?? "",
    message: service?.statusText ?? "",
  };
}

type End = Pick<ContainerStatus, "reason" | "exitCode" | "signal" | "terminationMessage">;

/** The manager's word, or the recorded one where it has forgotten. waitid's codes: 1 exited, 2 killed, 3 dumped. */
function endOfService(service: Service, recorded: LastEnd | undefined): End {
  const words = hasEnded(service) ? recorded?.message : undefined;
  return { ...howItEnded(service, recorded), ...(words === undefined ? {} : { terminationMessage: words }) };
}

function howItEnded(service: Service, forgotten: LastEnd | undefined): End {
  const { result, execMainCode, execMainStatus } = service;
  if (execMainCode === 1) return end(endWord(result), { exitCode: execMainStatus });
  if (execMainCode !== 0) return end(endWord(result), { signal: signalName(execMainStatus) });
  if (forgotten === undefined || !isForgotten(service)) return {};
  const { code, status } = forgotten;
  const how = code === "" ? {} : code === "exited" ? { exitCode: Number(status) } : { signal: `SIG${status}` };
  return end(endWord(forgotten.result), how);
}

function end(reason: EndWord, how: Omit<End, "reason">): End {
  return { reason, ...how, ...(reason === "OOMKilled" ? { exitCode: OOM_EXIT_CODE } : {}) };
}

/** `stopped`: the pod unit is inactive, so an end with status 0 was asked for and is no completion. */
function containerPhase(state: UnitState | undefined, init: boolean, stopped: boolean): ContainerPhase {
  const service = state?.service;
  if (state === undefined || service === undefined || state.loadState === "not-found") return "Missing";
  // One that says that it reads its settings anew still does its work.
  if (state.activeState === "active" || state.activeState === "reloading")
    return init && state.subState === "exited" ? "Completed" : "Running";
  if (service.statusText.startsWith("CrashLoopBackOff")) return "CrashLoopBackOff";
  if (state.activeState === "failed") return "Error";
  if (state.activeState === "activating") return service.restarts > 2 ? "CrashLoopBackOff" : "Starting";
  if (state.activeState === "inactive" && service.activeEnter > 0 && service.execMainCode === 1)
    return service.execMainStatus !== 0 ? "Error" : stopped ? "Stopped" : "Completed";
  return "Stopped";
}

function podPhase(pod: UnitState | undefined, containers: readonly ContainerStatus[]): PodPhase {
  const mains = containers.filter((c) => !c.init && !c.sidecar);
  const sidecars = containers.filter((c) => c.sidecar);
  const any = (phase: ContainerPhase): boolean => containers.some((c) => c.phase === phase);
  if (any("CrashLoopBackOff")) return "CrashLoopBackOff";
  if (mains.every((c) => c.phase === "Completed")) return "Succeeded";
  if (mains.every((c) => c.phase === "Completed" || c.phase === "Error")) return "Failed";
  if (mains.every((c) => c.phase === "Running" || c.phase === "Completed") && sidecars.every((c) => c.phase === "Running"))
    return "Running";
  if (pod?.activeState === "activating" || any("Starting")) return "Pending";
  if (pod === undefined || pod.activeState === "inactive" || pod.activeState === "failed") {
    return mains.some((c) => c.phase === "Running") ? "Degraded" : any("Error") ? "Failed" : "Stopped";
  }
  return "Degraded";
}
