// Published ports: which socket units a pod gets, and claims that cannot both be had.
import type { Location } from "../base/diagnostic.js";
import type { Port } from "../model/types.js";
import { type PodContext, refuse } from "./context.js";
import { portUnit } from "./names.js";
import type { PlannedPort } from "./types.js";

/** A planned port and where in which pod it was asked for. */
export interface Claim {
  readonly port: PlannedPort;
  readonly pod: string;
  readonly at: Location;
}

/**
 * The pod's published ports, those of init containers too. A pod in the host's network has none: its containers listen
 * on the host themselves. `claimed` holds what pods before this one claimed, and is added to.
 */
export function planPorts(context: PodContext, claimed: Claim[]): PlannedPort[] {
  const { pod, facts } = context;
  if (pod.hostNetwork) return [];
  const planned: PlannedPort[] = [];
  for (const port of [...pod.initContainers, ...pod.containers].flatMap((c) => c.ports)) {
    if (port.hostPort === undefined) continue;
    const wanted = planPort(pod.name, port, port.hostPort);
    const other = claimed.find((c) => overlap(c.port, wanted));
    // An init container and a container may share one: it leads to the same port of the pod.
    if (other?.pod === pod.name && other.port.unit === wanted.unit && other.port.containerPort === wanted.containerPort) continue;
    const name = `host port ${wanted.hostPort}/${wanted.protocol}`;
    if (other !== undefined) {
      const where = `pod "${other.pod}" (${other.at.file}:${other.at.line})`;
      refuse(context, "duplicate-host-port", port.at, `${name} is claimed twice: ${where} has it too`, "give one of them another hostPort");
      continue;
    }
    if (wanted.hostPort < facts.unprivilegedPortStart) {
      const message = `${name} cannot be bound: ports below ${facts.unprivilegedPortStart} are reserved for root on this machine`;
      const hint = `choose a higher hostPort, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${wanted.hostPort} (and a file in /etc/sysctl.d to keep it)`;
      refuse(context, "privileged-port", port.at, message, hint);
    }
    claimed.push({ port: wanted, pod: pod.name, at: port.at });
    planned.push(wanted);
  }
  return planned;
}

function planPort(pod: string, port: Port, hostPort: number): PlannedPort {
  const { protocol, hostIP, containerPort } = port;
  return { unit: portUnit(pod, hostIP, hostPort, protocol), protocol, hostPort, hostIP, containerPort };
}

/** Whether two sockets could not both be bound. No address means all, of both families. */
function overlap(a: PlannedPort, b: PlannedPort): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
  const [x, y] = [a.hostIP.toLowerCase(), b.hostIP.toLowerCase()];
  if (x === "" || y === "" || x === y) return true;
  const any = (ip: string): boolean => ip === "0.0.0.0" || ip === "::";
  return x.includes(":") === y.includes(":") && (any(x) || any(y));
}
