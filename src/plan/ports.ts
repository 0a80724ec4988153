// Published ports: which socket units a pod gets.
import { type PodContext, refuse } from "./context.js";
import { portUnit } from "./names.js";
import { portList } from "./paths.js";
import type { PlannedContainer, PlannedPort, PodPlan } from "./types.js";

/**
 * The pod's published ports, those of init containers too. A pod in the host's network has none: its containers listen
 * on the host themselves. That two claims do not collide is the model's rule; an init container and a container may
 * share one, which is one port then.
 */
export function planPorts(context: PodContext): PlannedPort[] {
  const { pod, facts } = context;
  if (pod.hostNetwork) return [];
  const planned = new Map<string, PlannedPort>();
  const claims = [...pod.initContainers, ...pod.containers].flatMap((c) => c.ports.map((port) => ({ c, port })));
  for (const { c, port } of claims) {
    const { name, hostPort, hostIP, protocol, containerPort, at } = port;
    if (hostPort === undefined) continue;
    if (hostPort < facts.unprivilegedPortStart) {
      const message = `host port ${hostPort} cannot be bound: ports below ${facts.unprivilegedPortStart} are reserved for root on this machine`;
      const hint = `choose a higher hostPort, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${hostPort} (and a file in /etc/sysctl.d to keep it)`;
      refuse(context, "privileged-port", at, message, hint);
    }
    const unit = portUnit(pod.name, hostIP, hostPort, protocol);
    const passed = name !== undefined && c.sockets?.includes(name) === true ? { passed: { container: c.name, name } } : {};
    planned.set(unit, { unit, protocol, hostPort, hostIP, containerPort, ...passed, ...spread(context, unit, containerPort) });
  }
  return [...planned.values()];
}

function spread({ pod, facts, standIns = [] }: PodContext, unit: string, port: number): Pick<PlannedPort, "spread"> {
  if (standIns.length === 0) return {};
  return { spread: { list: portList(facts.paths, pod.name, unit), backends: [pod.name, ...standIns].map((name) => `${name} ${port}`) } };
}

/** At most: whoever waits longer for an answer has other worries. */
const DRAIN = 10;

/** Seconds for which a stop waits for connections: of TCP ports that are published, or that a Service may have. */
export function planDrain({ pod }: PodContext): number | undefined {
  const ports = [...pod.initContainers, ...pod.containers].flatMap((c) => c.ports).filter((p) => p.protocol === "TCP");
  const reached = ports.some((p) => p.hostPort !== undefined) || (ports.length > 0 && Object.keys(pod.labels).length > 0);
  // Always less than the grace: systemd gives each of a stop's steps so long.
  const seconds = pod.drainSeconds ?? Math.min(DRAIN, Math.floor(pod.terminationGracePeriodSeconds / 2));
  return reached && !pod.hostNetwork && seconds > 0 ? seconds : undefined;
}

/** The socket units that a container gets its sockets from, in the spec's order. */
export function passedSockets(pod: PodPlan, container: PlannedContainer): string[] {
  return pod.ports.filter((p) => p.passed?.container === container.name).map((p) => `${p.unit}.socket`);
}
