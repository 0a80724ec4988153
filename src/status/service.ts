// What people look at of Services: their ports and which of their pods are ready. Pure.
import type { Manifest, UnitState } from "../base/installed.js";
import type { ServiceListener } from "../base/service.js";
import type { PodStatus, ServiceStatus } from "./types.js";

/** The Services of the manifest, sorted by name. `pods`: the status of all pods. */
export function servicesOf(manifest: Manifest, units: ReadonlyMap<string, UnitState>, pods: readonly PodStatus[]): ServiceStatus[] {
  const ready = new Set(pods.filter((p) => p.phase === "Running" && p.ready === p.total).map((p) => p.name));
  return Object.values(manifest.pods)
    .flatMap(({ service, source }): ServiceStatus[] => {
      if (service === undefined) return [];
      const names = [...new Set(service.listeners.flatMap((l) => l.backends.map(podOf)))]
        .filter((name) => manifest.pods[name] !== undefined)
        .sort();
      const failed = service.listeners.filter((l) => units.get(`${l.unit}.socket`)?.activeState !== "active");
      return [
        {
          name: service.name,
          type: service.type,
          ports: service.listeners.map(shownPort),
          closed: failed.map(shownPort),
          pods: names.map((name) => ({ name, ready: service.notReady || ready.has(name) })),
          source,
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function podOf(line: string): string {
  return line.slice(0, line.indexOf(" "));
}

/** `30080->http/tcp`: the host's port, and what it leads to. */
function shownPort({ hostIP, hostPort, protocol, target }: ServiceListener): string {
  const address = hostIP === "" ? "" : hostIP.includes(":") ? `[${hostIP}]:` : `${hostIP}:`;
  return `${address}${hostPort}->${target}/${protocol.toLowerCase()}`;
}
