// A port of the host can be claimed once among all pods of an apply.
import type { Place } from "../../../spec/node.js";
import type { Path } from "../../../spec/path.js";
import type { Port } from "../../types.js";
import { addressesOverlap } from "../address.js";
import type { PodView } from "../view.js";

interface Claim {
  readonly port: Port;
  readonly hostPort: number;
  readonly pod: PodView;
  readonly init: boolean;
}

/** Host addresses count: 127.0.0.1:80 and 127.0.0.2:80 are two, 0.0.0.0:80 clashes with both, TCP and UDP never clash. */
export function hostPorts(pods: readonly PodView[]): void {
  const claims = new Map<string, Claim[]>();
  for (const pod of pods)
    for (const { model, reader } of pod.containers)
      for (const [i, port] of model.ports.entries()) {
        // In the host's network the container itself takes its port on the host.
        const hostPort = port.hostPort ?? (pod.model.hostNetwork ? port.containerPort : undefined);
        const at = reader.objects("ports")[i];
        if (hostPort === undefined || at === undefined) continue;
        const claim: Claim = { port, hostPort, pod, init: model.init && model.sidecar !== true };
        const key = `${hostPort}/${port.protocol}`;
        const others = claims.get(key) ?? [];
        const other = others.find((o) => clashes(o, claim));
        const field = port.hostPort === undefined ? "containerPort" : "hostPort";
        if (other === undefined) claims.set(key, [...others, claim]);
        else reportClash(claim, other, at.place(field), at.pathOf(field));
      }
}

function clashes(a: Claim, b: Claim): boolean {
  if (!addressesOverlap(a.port.hostIP, b.port.hostIP)) return false;
  // An init container and a container after it never run at the same time and lead to the same place.
  const same = a.port.hostIP === b.port.hostIP && a.port.containerPort === b.port.containerPort;
  return !(a.pod === b.pod && a.init !== b.init && same);
}

function reportClash(claim: Claim, other: Claim, place: Place, path: Path): void {
  const { file, line, column } = other.port.at;
  const where = other.pod === claim.pod ? "this pod" : `pod "${other.pod.model.name}"`;
  const address = claim.port.hostIP === "" ? "" : ` on ${claim.port.hostIP}`;
  claim.pod.report.error(
    "duplicate-host-port",
    place,
    path,
    `port ${claim.hostPort}/${claim.port.protocol}${address} of the host is claimed by ${where} too, at ${file}:${line}:${column}`,
    "give one of them another hostPort",
  );
}
