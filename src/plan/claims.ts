// What pods of earlier applies have, and nobody else can have while they are installed: ports of the host, and names.
import { type Diagnostic, type Location, oncePerPlace } from "../base/diagnostic.js";
import type { Manifest, ManifestPod } from "../base/installed.js";
import { ownerName, sameOwner } from "../base/owner.js";
import { shownKey } from "../base/service.js";
import { readSocketUnit } from "../base/socket-unit.js";
import { addressesOverlap } from "../model/kube/address.js";
import type { PodModel } from "../model/types.js";
import type { PlannedService } from "./services.js";

interface Claim {
  readonly pod: string;
  readonly hostIP: string;
  readonly hostPort: number;
  readonly protocol: string;
}

/**
 * One error per port of `pods` and `services` that one of `others` has; those are the installed pods and Services that stay as they are.
 * `places`: of the Services.
 */
export function claimedPorts(
  pods: readonly PodModel[],
  others: readonly ManifestPod[],
  services: readonly PlannedService[] = [],
  places: ReadonlyMap<string, Location> = new Map(),
): Diagnostic[] {
  const claims = others.flatMap(claimsOf);
  return wantedPorts(pods, services, places).flatMap((port): Diagnostic[] => {
    const { hostPort, hostIP, protocol, at } = port;
    const other = claims.find((c) => c.hostPort === hostPort && c.protocol === protocol && addressesOverlap(c.hostIP, hostIP));
    if (other === undefined) return [];
    const message = `port ${hostPort}/${protocol} of the host is published by the installed ${shownKey(other.pod)}`;
    return [
      {
        code: "claimed-host-port",
        severity: "error",
        message,
        ...(at === undefined ? {} : { at }),
        hint: `choose another port, or podgen delete ${other.pod}`,
      },
    ];
  });
}

/** What pods and Services ask of the host. */
function wantedPorts(pods: readonly PodModel[], services: readonly PlannedService[], places: ReadonlyMap<string, Location>): Wanted[] {
  const ofPods = pods.flatMap((pod) => (pod.hostNetwork ? [] : [...pod.initContainers, ...pod.containers].flatMap((c) => c.ports)));
  const ofServices = services.flatMap((service) =>
    service.along === true ? [] : service.listeners.map((l) => ({ ...l, at: places.get(service.name) })),
  );
  return [...ofPods, ...ofServices];
}

type Wanted = { readonly hostIP: string; readonly hostPort?: number; readonly protocol: string; readonly at?: Location | undefined };

/** Read back from the names of its socket units: the manifest has no more. */
function claimsOf(pod: ManifestPod): Claim[] {
  return pod.units.flatMap((unit): Claim[] => {
    const port = readSocketUnit(unit);
    return port === undefined ? [] : [{ pod: pod.name, ...port }];
  });
}

/** One error per workload that makes a pod of a name that is a Pod's, or another workload's; and the other way round. */
export function claimedNames(pods: readonly PodModel[], manifest: Manifest): Diagnostic[] {
  const found = pods.flatMap((pod): Diagnostic[] => {
    const installed = manifest.pods[pod.name];
    if (installed === undefined || sameOwner(installed.owner, pod.owner)) return [];
    const whose = installed.owner === undefined ? `was applied as a Pod, from ${installed.source}` : `is ${ownerName(installed.owner)}'s`;
    const what = pod.owner === undefined ? "" : `${ownerName(pod.owner)} makes a pod "${pod.name}": `;
    const message = `${what}the installed pod "${pod.name}" ${whose}`;
    const hint = `rename one of the two, or podgen delete ${installed.owner === undefined ? pod.name : ownerName(installed.owner)}`;
    return [{ code: "claimed-name", severity: "error", message, at: pod.at, hint }];
  });
  return oncePerPlace(found);
}
