// The units of a Service's port: the socket that systemd holds, and what spreads its connections over the pods.
import balanceTemplate from "../../../templates/balance.service";
import listenTemplate from "../../../templates/service.socket";
import type { HostFacts } from "../../base/facts.js";
import type { ServiceListener, ServiceRecord } from "../../base/service.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `podgen-svc-web__30080-tcp.socket`. */
export function listenBody(service: ServiceRecord, listener: ServiceListener): string {
  const { hostIP, family } = listener;
  const address = addressOf(listener);
  return fill(listenTemplate, {
    DESCRIPTION: unitValue(`Service ${service.name}: host port ${shown(listener)}`),
    LISTEN_STREAM: listener.protocol === "TCP" ? unitValue(address) : undefined,
    LISTEN_DATAGRAM: listener.protocol === "UDP" ? unitValue(address) : undefined,
    BIND_IPV6_ONLY: hostIP.includes(":") || family === "IPv6" ? "ipv6-only" : hostIP === "" && family === undefined ? "both" : undefined,
    // At boot an address may come up after us.
    FREE_BIND: hostIP === "" ? undefined : "yes",
  });
}

/** `podgen-svc-web__30080-tcp.service`. */
export function balanceBody(service: ServiceRecord, listener: ServiceListener, facts: HostFacts): string {
  const words = ["balance", "--backends", listener.list, "--protocol", listener.protocol.toLowerCase()];
  if (service.affinity) words.push("--affinity");
  if (service.notReady) words.push("--not-ready");
  for (const range of service.allow) words.push("--allow", range);
  return fill(balanceTemplate, {
    DESCRIPTION: unitValue(`Service ${service.name}: connections of host port ${shown(listener)}`),
    SOCKET: `${listener.unit}.socket`,
    EXEC_START: execLine([facts.paths.podrt, ...words]),
  });
}

function addressOf({ hostIP, hostPort, family }: ServiceListener): string {
  if (hostIP !== "") return hostIP.includes(":") ? `[${hostIP}]:${hostPort}` : `${hostIP}:${hostPort}`;
  return family === "IPv4" ? `0.0.0.0:${hostPort}` : family === "IPv6" ? `[::]:${hostPort}` : String(hostPort);
}

function shown(listener: ServiceListener): string {
  return `${listener.hostIP === "" ? listener.hostPort : addressOf(listener)}/${listener.protocol}`;
}
