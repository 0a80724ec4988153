// Probes of a container, with Kubernetes' defaults.
import type { Reader } from "../../spec/reader.js";
import type { Container, HttpGet, Port, Probe, ProbeHandler, ProbeKind, Probes } from "../types.js";

/** The handlers of a probe, of which exactly one is given (rules/probes.ts). */
export const PROBE_HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc"] as const;

export const PROBE_FIELDS = [
  ["startup", "startupProbe"],
  ["readiness", "readinessProbe"],
  ["liveness", "livenessProbe"],
] as const satisfies readonly (readonly [ProbeKind, string])[];

export function readProbes(container: Reader, ports: readonly Port[]): Pick<Container, "probes"> {
  const probes: Probes = Object.fromEntries(
    PROBE_FIELDS.flatMap(([kind, field]) => {
      const reader = container.object(field);
      const handler = reader && readHandler(reader, ports);
      return reader === undefined || handler === undefined ? [] : [[kind, readProbe(reader, handler)]];
    }),
  );
  return Object.keys(probes).length === 0 ? {} : { probes };
}

/** 0 is the default, but for the delay, whose default it is. */
function readProbe(reader: Reader, handler: ProbeHandler): Probe {
  const grace = reader.integer("terminationGracePeriodSeconds");
  return {
    handler,
    initialDelaySeconds: reader.integer("initialDelaySeconds") ?? 0,
    periodSeconds: reader.integer("periodSeconds") || 10,
    timeoutSeconds: reader.integer("timeoutSeconds") || 1,
    successThreshold: reader.integer("successThreshold") || 1,
    failureThreshold: reader.integer("failureThreshold") || 3,
    ...(grace === undefined ? {} : { terminationGracePeriodSeconds: grace }),
  };
}

function readHandler(reader: Reader, ports: readonly Port[]): ProbeHandler | undefined {
  const exec = reader.object("exec");
  if (exec !== undefined) return { kind: "exec", command: exec.texts("command") ?? [] };
  const http = reader.object("httpGet");
  if (http !== undefined) return readHttp(http, ports);
  const tcp = reader.object("tcpSocket");
  if (tcp !== undefined) return { kind: "tcpSocket", host: tcp.text("host") ?? "", port: portOf(tcp, ports) ?? 0 };
  const grpc = reader.object("grpc");
  return grpc && { kind: "grpc", port: grpc.integer("port") ?? 0, service: grpc.text("service") ?? "" };
}

export function readHttp(reader: Reader, ports: readonly Port[]): HttpGet {
  return {
    kind: "httpGet",
    host: reader.text("host") ?? "",
    port: portOf(reader, ports) ?? 0,
    path: reader.text("path") || "/",
    tls: reader.text("scheme") === "HTTPS",
    headers: reader.objects("httpHeaders").map((h) => [h.text("name") ?? "", h.text("value") ?? ""]),
  };
}

/** The port as a number from 1 to 65535, or that of the container's port of this name; undefined where there is none. */
export function portOf(reader: Reader, ports: readonly Port[]): number | undefined {
  const name = reader.text("port");
  const number = name === undefined ? reader.integer("port") : /^\d+$/.test(name) ? Number(name) : undefined;
  if (number !== undefined) return number >= 1 && number <= 65535 ? number : undefined;
  return name === undefined ? undefined : ports.find((p) => p.name === name)?.containerPort;
}
