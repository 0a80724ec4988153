// The units of a published port: the socket that systemd holds, and the forwarder behind it.
import balanceTemplate from "../../../templates/balance.service";
import forwardTemplate from "../../../templates/forward.service";
import socketTemplate from "../../../templates/port.socket";
import type { HostFacts } from "../../base/facts.js";
import { containerUnit, INFRA, infraUnit, podSlice, podUnit, runDir } from "../../plan/names.js";
import { before } from "../../plan/sequence.js";
import type { PlannedPort, PodPlan } from "../../plan/types.js";
import { podStopSeconds } from "./container.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `pod-web__8080-tcp.socket`. */
export function socketBody(pod: PodPlan, port: PlannedPort): string {
  const address = listenAddress(port);
  const { passed } = port;
  const owner = pod.containers.find((c) => c.name === passed?.container);
  const last = owner === undefined ? undefined : before(pod, owner).init?.unit;
  return fill(socketTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: host port ${shown(port)}`),
    DEFAULT_DEPENDENCIES: last === undefined ? undefined : "no",
    SHUTDOWN: last === undefined ? undefined : "shutdown.target",
    REQUISITE: last,
    POD: podUnit(pod.name),
    SERVICE: passed === undefined ? undefined : containerUnit(pod.name, passed.container),
    NAME: passed === undefined ? undefined : unitValue(passed.name),
    LISTEN_STREAM: port.protocol === "TCP" ? unitValue(address) : undefined,
    LISTEN_DATAGRAM: port.protocol === "UDP" ? unitValue(address) : undefined,
    // No address means both families on one socket; `::` means IPv6, so that 0.0.0.0 can be had beside it.
    BIND_IPV6_ONLY: port.hostIP === "" ? "both" : port.hostIP.includes(":") ? "ipv6-only" : undefined,
    // At boot an address may come up after us.
    FREE_BIND: port.hostIP === "" ? undefined : "yes",
  });
}

/** `pod-web__8080-tcp.service`. */
export function forwardBody(pod: PodPlan, port: PlannedPort, facts: HostFacts): string {
  const join = ["--join", runDir(pod.name, INFRA)];
  const linger = pod.drainSeconds === undefined || port.protocol === "UDP" ? 1 : podStopSeconds(pod);
  const target = ["--port", String(port.containerPort), "--protocol", port.protocol.toLowerCase()];
  return fill(forwardTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: forwarder of host port ${shown(port)}`),
    INFRA: infraUnit(pod.name),
    SOCKET: `${port.unit}.socket`,
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    // It has what the containers have: connections end when they do.
    EXEC_START: execLine([facts.paths.podrt, "forward", ...(linger === 1 ? [] : ["--linger", String(linger)]), ...join, ...target]),
    TIMEOUT_STOP: String(linger + 4),
  });
}

/** The same of one that stand-ins of the pod have, too: it leads to whom of them is ready. */
export function spreadBody(pod: PodPlan, port: PlannedPort, facts: HostFacts): string {
  const words = ["--backends", port.spread?.list ?? "", "--protocol", port.protocol.toLowerCase(), "--fallback"];
  return fill(balanceTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: connections of host port ${shown(port)}`),
    SOCKET: `${port.unit}.socket`,
    EXEC_START: execLine([facts.paths.podrt, "balance", ...words]),
  });
}

/** As systemd.socket(5) takes it: a port alone listens on every address. */
function listenAddress(port: PlannedPort): string {
  if (port.hostIP === "") return String(port.hostPort);
  return port.hostIP.includes(":") ? `[${port.hostIP}]:${port.hostPort}` : `${port.hostIP}:${port.hostPort}`;
}

function shown(port: PlannedPort): string {
  return `${port.hostIP === "" ? port.hostPort : listenAddress(port)}/${port.protocol}`;
}
