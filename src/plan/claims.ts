// Host ports that pods of earlier applies publish: nobody else can have them while those pods are installed.
import type { Diagnostic } from "../base/diagnostic.js";
import type { ManifestPod } from "../base/installed.js";
import { readSocketUnit } from "../base/socket-unit.js";
import { addressesOverlap } from "../model/kube/address.js";
import type { PodModel } from "../model/types.js";

interface Claim {
  readonly pod: string;
  readonly hostIP: string;
  readonly hostPort: number;
  readonly protocol: string;
}

/** One error per port of `pods` that one of `others` has; those are the installed pods that stay as they are. */
export function claimedPorts(pods: readonly PodModel[], others: readonly ManifestPod[]): Diagnostic[] {
  const claims = others.flatMap(claimsOf);
  const wanted = pods.flatMap((pod) => (pod.hostNetwork ? [] : [...pod.initContainers, ...pod.containers].flatMap((c) => c.ports)));
  return wanted.flatMap((port): Diagnostic[] => {
    const { hostPort, hostIP, protocol, at } = port;
    const other = claims.find((c) => c.hostPort === hostPort && c.protocol === protocol && addressesOverlap(c.hostIP, hostIP));
    if (other === undefined) return [];
    const message = `port ${hostPort}/${protocol} of the host is published by the installed pod "${other.pod}"`;
    return [{ code: "claimed-host-port", severity: "error", message, at, hint: `choose another hostPort, or podgen delete ${other.pod}` }];
  });
}

/** Read back from the names of its socket units: the manifest has no more. */
function claimsOf(pod: ManifestPod): Claim[] {
  return pod.units.flatMap((unit): Claim[] => {
    const port = readSocketUnit(unit);
    return port === undefined ? [] : [{ pod: pod.name, ...port }];
  });
}
