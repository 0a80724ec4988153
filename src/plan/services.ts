// Services: which ports of the host they have, and which pods are behind them, of this apply and of earlier ones.
import type { Diagnostic, Location } from "../base/diagnostic.js";
import type { HostFacts } from "../base/facts.js";
import type { ManifestPod } from "../base/installed.js";
import { matchesSelector, type ServedPod, type ServiceListener, type ServiceRecord, serviceKey } from "../base/service.js";
import { readSocketUnit } from "../base/socket-unit.js";
import { addressesOverlap } from "../model/kube/address.js";
import type { PodModel, ServiceModel, ServicePortModel } from "../model/types.js";
import { serviceUnit } from "./names.js";
import { serviceList } from "./paths.js";

/** Kubernetes' range of node ports. */
const FIRST_NODE_PORT = 30000;
const NODE_PORTS = 2768;

/** Pods and Services of earlier applies, by their keys. */
export type InstalledEntries = Readonly<Record<string, ManifestPod | undefined>>;

export interface PlannedService extends ServiceRecord {
  /** What the manifest remembers as its source. */
  readonly source: string;
  /** It is installed and not in this apply, and planned anew because its pods are others now. */
  readonly along?: true;
}

interface Given {
  readonly services: readonly ServiceModel[];
  readonly pods: readonly PodModel[];
  /** Those that may stand in for others while a workload is updated. */
  readonly surge?: readonly PodModel[];
  readonly installed: InstalledEntries;
  readonly facts: HostFacts;
  readonly sourceOf: (service: ServiceModel) => string;
}

interface Claim {
  readonly hostIP: string;
  readonly hostPort: number;
  readonly protocol: string;
  readonly who: string;
}

export function planServices(given: Given): { services: PlannedService[]; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const pods = servedPods([...given.pods, ...(given.surge ?? [])], given.installed);
  const claims = given.pods.flatMap(claimsOf);
  const elsewhere = installedClaims(given);
  // Ports that are written down go before those that are chosen.
  const fixed = given.services.flatMap((s) => s.ports.flatMap((p) => (p.nodePort === undefined ? [] : [claimOf(s, "", p.nodePort, p)])));
  const planned = given.services.map((service): PlannedService => {
    const before = given.installed[serviceKey(service.name)]?.service;
    const listeners = service.ports.flatMap((port) => {
      const taken = [...claims, ...fixed, ...elsewhere];
      const places = placesOf(
        service,
        port,
        () => before?.listeners.find((l) => l.of === shownPort(port) && isNodePort(l))?.hostPort ?? choose(service, port, taken),
      );
      return places.map(([hostIP, hostPort]): ServiceListener => {
        const claim = claimOf(service, hostIP, hostPort, port);
        diagnostics.push(...clash(claim, claims, port.at), ...privileged(claim, given.facts, port.at));
        claims.push(claim);
        return listenerOf(service, port, hostIP, hostPort, given.facts, pods);
      });
    });
    diagnostics.push(...judgePods(service, pods));
    const { name, namespace, type, selector, affinity, notReady, allow } = service;
    return { name, namespace, type, selector, affinity, notReady, allow, listeners, source: given.sourceOf(service) };
  });
  return { services: [...planned, ...movedServices(given, pods)], diagnostics };
}

/** Installed Services that this apply does not name, and whose pods are others after it. */
function movedServices({ services, installed }: Given, pods: ReadonlyMap<string, ServedPod>): PlannedService[] {
  const named = new Set(services.map((s) => serviceKey(s.name)));
  return Object.entries(installed).flatMap(([key, entry]): PlannedService[] => {
    const before = entry?.service;
    if (before === undefined || entry === undefined || named.has(key)) return [];
    const listeners = before.listeners.map((l) => ({ ...l, backends: backendsOf(before, l.target, pods) }));
    const same = listeners.every((l, i) => l.backends.join("\n") === before.listeners[i]?.backends.join("\n"));
    return same ? [] : [{ ...before, listeners, source: entry.source, along: true }];
  });
}

function isNodePort({ hostPort, hostIP }: ServiceListener): boolean {
  return hostIP === "" && hostPort >= FIRST_NODE_PORT && hostPort < FIRST_NODE_PORT + NODE_PORTS;
}

/** The port as messages and the manifest name it. */
function shownPort({ name, port, protocol }: ServicePortModel): string {
  return name ?? `${port}/${protocol}`;
}

/** The host's addresses and ports of one of its ports. */
function placesOf(service: ServiceModel, port: ServicePortModel, chosen: () => number): [hostIP: string, hostPort: number][] {
  const balanced = service.type === "LoadBalancer";
  const node = port.nodePort ?? (balanced ? undefined : chosen());
  const places: [string, number][] = balanced ? [[service.address, port.port]] : [];
  if (node !== undefined && !(balanced && service.address === "" && node === port.port)) places.push(["", node]);
  // One that listens on every address at that port does so on these, too.
  const everywhere = places.some(([ip, number]) => ip === "" && number === port.port);
  if (!everywhere) for (const ip of new Set(service.externalIPs)) if (ip !== service.address) places.push([ip, port.port]);
  return places;
}

/** The same one each time as long as it is free: where it begins to look follows from the names. */
function choose(service: ServiceModel, port: ServicePortModel, taken: readonly Claim[]): number {
  let hash = 2166136261;
  for (const c of `${service.name}/${shownPort(port)}`) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 16777619) >>> 0;
  for (let i = 0; i < NODE_PORTS; i++) {
    const number = FIRST_NODE_PORT + ((hash + i) % NODE_PORTS);
    if (!taken.some((c) => c.hostPort === number && c.protocol === port.protocol)) return number;
  }
  return FIRST_NODE_PORT;
}

function listenerOf(
  service: ServiceModel,
  port: ServicePortModel,
  hostIP: string,
  hostPort: number,
  facts: HostFacts,
  pods: ReadonlyMap<string, ServedPod>,
): ServiceListener {
  const unit = serviceUnit(service.name, hostIP, hostPort, port.protocol);
  return {
    unit,
    hostIP,
    hostPort,
    protocol: port.protocol,
    ...(service.family === undefined || hostIP !== "" ? {} : { family: service.family }),
    of: shownPort(port),
    target: port.target,
    list: serviceList(facts.paths, service.name, unit),
    backends: backendsOf(service, port.target, pods),
  };
}

/** Lines of the list, sorted. A pod without the port of that name is not behind it, as in Kubernetes. */
function backendsOf(
  service: Pick<ServiceRecord, "selector" | "namespace">,
  target: number | string,
  pods: ReadonlyMap<string, ServedPod>,
): string[] {
  return [...pods]
    .flatMap(([name, pod]): string[] => {
      const port = typeof target === "number" ? target : pod.ports[target];
      return port === undefined || pod.hostNetwork === true || !matchesSelector(service.selector, service.namespace, pod)
        ? []
        : [`${name} ${port}`];
    })
    .sort();
}

function judgePods(service: ServiceModel, pods: ReadonlyMap<string, ServedPod>): Diagnostic[] {
  const matching = [...pods].filter(([, pod]) => matchesSelector(service.selector, service.namespace, pod));
  const what = `Service "${service.name}"`;
  if (matching.length === 0) {
    const message = `${what}: its selector matches no pod, neither here nor installed: connections wait 10 s for one and are refused`;
    return [
      {
        code: "no-backends",
        severity: "warning",
        message,
        at: service.at,
        hint: "its labels are those of pods' metadata, in the same namespace",
      },
    ];
  }
  const host = matching.find(([, pod]) => pod.hostNetwork === true);
  if (host !== undefined) {
    const message = `${what}: pod "${host[0]}" is in the host's network, where its ports are the host's already`;
    return [{ code: "host-network-backend", severity: "error", message, at: service.at, hint: "take hostNetwork or the Service out" }];
  }
  return service.ports.flatMap((port): Diagnostic[] => {
    if (typeof port.target === "number" || matching.some(([, pod]) => pod.ports[port.target] !== undefined)) return [];
    const message = `${what}: none of its pods has a port named "${port.target}"`;
    return [
      {
        code: "unknown-port",
        severity: "error",
        message,
        at: port.at,
        hint: "give a container's port that name, or write its number as targetPort",
      },
    ];
  });
}

/** What Services go by in a pod; undefined for one without labels, which no selector matches. */
export function servedPod(pod: PodModel): ServedPod | undefined {
  if (Object.keys(pod.labels).length === 0) return undefined;
  const named = pod.containers.flatMap((c) => c.ports.flatMap((p) => (p.name === undefined ? [] : [[p.name, p.containerPort] as const])));
  return {
    namespace: pod.namespace,
    labels: pod.labels,
    ports: Object.fromEntries(named),
    ...(pod.hostNetwork ? { hostNetwork: true as const } : {}),
  };
}

function servedPods(pods: readonly PodModel[], installed: InstalledEntries): Map<string, ServedPod> {
  const found = new Map<string, ServedPod>();
  for (const [name, entry] of Object.entries(installed)) if (entry?.serve !== undefined) found.set(name, entry.serve);
  for (const pod of pods) {
    const serve = servedPod(pod);
    if (serve === undefined) found.delete(pod.name);
    else found.set(pod.name, serve);
  }
  return found;
}

function claimOf(service: ServiceModel, hostIP: string, hostPort: number, { protocol }: ServicePortModel): Claim {
  return { hostIP, hostPort, protocol, who: `Service "${service.name}"` };
}

function claimsOf(pod: PodModel): Claim[] {
  return [...pod.initContainers, ...pod.containers].flatMap((c) =>
    c.ports.flatMap((p): Claim[] => {
      const hostPort = p.hostPort ?? (pod.hostNetwork ? p.containerPort : undefined);
      return hostPort === undefined ? [] : [{ hostIP: p.hostIP, hostPort, protocol: p.protocol, who: `pod "${pod.name}"` }];
    }),
  );
}

/** Of what is installed and stays: not to be chosen. That it is not asked for either is checked when it is known what goes (claims.ts). */
function installedClaims({ services, pods, installed }: Given): Claim[] {
  const here = new Set([...services.map((s) => serviceKey(s.name)), ...pods.map((p) => p.name)]);
  return Object.entries(installed).flatMap(([key, entry]) =>
    here.has(key)
      ? []
      : (entry?.units ?? []).flatMap((unit): Claim[] => {
          const port = readSocketUnit(unit);
          return port === undefined ? [] : [{ ...port, who: key }];
        }),
  );
}

function clash(claim: Claim, others: readonly Claim[], at: Location): Diagnostic[] {
  const other = others.find(
    (o) => o.hostPort === claim.hostPort && o.protocol === claim.protocol && addressesOverlap(o.hostIP, claim.hostIP),
  );
  if (other === undefined) return [];
  const on = claim.hostIP === "" ? "" : ` on ${claim.hostIP}`;
  const message = `${claim.who}: port ${claim.hostPort}/${claim.protocol}${on} of the host is claimed by ${other.who === claim.who ? "it twice" : `${other.who} too`}`;
  return [{ code: "duplicate-host-port", severity: "error", message, at, hint: "give one of them another port" }];
}

function privileged({ hostPort, who }: Claim, facts: HostFacts, at: Location): Diagnostic[] {
  if (hostPort >= facts.unprivilegedPortStart) return [];
  const message = `${who}: port ${hostPort} cannot be bound: ports below ${facts.unprivilegedPortStart} are reserved for root on this machine`;
  const hint = `choose a higher port, type: NodePort, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${hostPort} (and a file in /etc/sysctl.d to keep it)`;
  return [{ code: "privileged-port", severity: "error", message, at, hint }];
}
