// The unit that runs a container's probes, and the file that says which.
import probeTemplate from "../../../templates/probe.service";
import type { HostFacts } from "../../base/facts.js";
import { INFRA, podSlice, podUnit, runDir } from "../../plan/names.js";
import { isGated } from "../../plan/probes.js";
import type { PlannedContainer, PodPlan, Probe, ProbeHandler } from "../../plan/types.js";
import { sha256 } from "../digest.js";
import { askedOf } from "../oci/http.js";
import { type Json, printJson } from "../oci/json.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** How much of a digest tells two versions apart. */
const DIGEST_LENGTH = 12;

/** `pod-web_app__probe.service`. The digest in its words is what makes another probe.json another start. */
export function probeBody(pod: PodPlan, container: PlannedContainer, facts: HostFacts): string {
  const digest = sha256(probeFile(pod, container)).slice(0, DIGEST_LENGTH);
  return fill(probeTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: probes of container ${container.name}`),
    CONTAINER: container.unit,
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    EXEC_START: execLine([facts.paths.podrt, "probe", "--bundle", container.bundle, "--digest", digest]),
    // Nobody knows any more whether it is ready; without a mark of its own there is nothing to take away.
    EXEC_STOP_POST: isGated(container)
      ? `-${execLine([facts.paths.podrt, "probe", "--ended", runDir(pod.name, container.name)])}`
      : undefined,
  });
}

/** `probe.json` beside the bundle's config.json (native/README.md, "Probes"). */
export function probeFile(pod: PodPlan, container: PlannedContainer): string {
  const probes = Object.entries(container.probes ?? {}).map(([kind, probe]) => [kind, probeOf(pod, probe)] as const);
  return printJson({
    runDir: runDir(pod.name, container.name),
    join: runDir(pod.name, INFRA),
    unit: container.unit,
    identifier: `${pod.name}/${container.name}`,
    stopSignal: container.stopSignal,
    gated: isGated(container),
    restarts: container.restartPolicy !== "Never",
    ...Object.fromEntries(probes),
  });
}

function probeOf(pod: PodPlan, probe: Probe): Json {
  const { handler, terminationGracePeriodSeconds, ...timing } = probe;
  return { ...handlerOf(handler), ...timing, graceSeconds: terminationGracePeriodSeconds ?? pod.graceSeconds };
}

function handlerOf(handler: ProbeHandler): { readonly [key: string]: Json } {
  if (handler.kind === "exec") return { exec: [...handler.command] };
  if (handler.kind === "httpGet") return { httpGet: askedOf(handler) };
  if (handler.kind === "tcpSocket") return { tcpSocket: { host: handler.host, port: handler.port } };
  return { grpc: { port: handler.port, service: handler.service } };
}
