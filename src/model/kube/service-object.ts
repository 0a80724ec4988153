// A Service: NodePort and LoadBalancer, typed and defaulted; those that need a network of pods are refused.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";
import type { ServiceModel, ServicePortModel } from "../types.js";
import { readMetadata } from "./metadata.js";

const NO_NETWORK = "needs a network between pods, which podgen does not have yet";
const INSTEAD =
  "containers of one pod reach each other at 127.0.0.1; for the host and for other pods write type: NodePort (a port from 30000 on), or type: LoadBalancer (the Service's own port, on the host)";

/** Reads what the walker has let through, and judges it. */
export function readServiceObject(document: Reader, report: Report): ServiceModel {
  const spec = document.object("spec");
  const type = spec?.text("type");
  const balanced = type === "LoadBalancer";
  judge(document, spec, report);
  const families = spec?.texts("ipFamilies") ?? [];
  const dual = families.length !== 1 || ["PreferDualStack", "RequireDualStack"].includes(spec?.text("ipFamilyPolicy") ?? "");
  return {
    ...readMetadata("Service", document),
    type: balanced ? "LoadBalancer" : "NodePort",
    selector: spec?.textMap("selector") ?? {},
    ports: (spec?.objects("ports") ?? []).map(readPort),
    affinity: spec?.text("sessionAffinity") === "ClientIP",
    notReady: spec?.flag("publishNotReadyAddresses") === true,
    ...(dual ? {} : { family: families[0] === "IPv6" ? ("IPv6" as const) : ("IPv4" as const) }),
    externalIPs: spec?.texts("externalIPs") ?? [],
    address: balanced ? (spec?.text("loadBalancerIP") ?? "") : "",
    allow: balanced ? (spec?.texts("loadBalancerSourceRanges") ?? []).map((range) => range.trim()) : [],
  };
}

function readPort(reader: Reader): ServicePortModel {
  const port = reader.integer("port") ?? 0;
  const name = reader.text("name");
  const nodePort = reader.integer("nodePort") || undefined;
  return {
    ...(name === undefined ? {} : { name }),
    port,
    target: reader.integer("targetPort") ?? (reader.text("targetPort") || port),
    ...(nodePort === undefined ? {} : { nodePort }),
    protocol: reader.text("protocol") === "UDP" ? "UDP" : "TCP",
    at: reader.place("port").at,
  };
}

function judge(document: Reader, spec: Reader | undefined, report: Report): void {
  if (spec === undefined) return;
  const type = spec.text("type") ?? "ClusterIP";
  const refuse = (key: string, problem: string, hint: string): void =>
    report.error("refused-value", spec.place(key), spec.pathOf(key), problem, hint);
  if (type === "ExternalName")
    refuse("type", `a Service of type ExternalName ${NO_NETWORK}`, "use the other name itself, or hostAliases in the pods");
  else if (spec.text("clusterIP") === "None") refuse("clusterIP", `a headless Service ${NO_NETWORK}`, INSTEAD);
  else if (type === "ClusterIP") refuse("type", `a Service of type ClusterIP ${NO_NETWORK}`, INSTEAD);
  if (type !== "NodePort" && type !== "LoadBalancer") return;
  if (spec.get("ports") === undefined || spec.objects("ports").length === 0)
    report.error("missing-field", spec.place("ports"), spec.pathOf("ports"), "a Service needs at least one port");
  if (Object.keys(spec.textMap("selector")).length === 0)
    report.error(
      "missing-field",
      spec.place("selector"),
      spec.pathOf("selector"),
      "a Service without a selector has no pods",
      "name labels of its pods",
    );
  if (type === "NodePort" && (spec.texts("loadBalancerSourceRanges") ?? []).length > 0)
    report.error(
      "contradiction",
      spec.keyPlace("loadBalancerSourceRanges"),
      spec.pathOf("loadBalancerSourceRanges"),
      "it says who may use a load balancer, and type is NodePort",
      "write type: LoadBalancer",
    );
  distinctPorts(spec, report);
  const name = document.object("metadata")?.text("name") ?? "";
  if (name.length > 63 || name.includes("."))
    report.error(
      "bad-value",
      document.object("metadata")?.place("name") ?? spec.keyPlace("type"),
      document.pathOf("metadata").child("name"),
      `"${name.slice(0, 80)}" is no name of a Service: at most 63 letters, digits and -`,
    );
}

/** Names of ports, and port and protocol, are a Service's own once; with several ports each has a name. */
function distinctPorts(spec: Reader, report: Report): void {
  const ports = spec.objects("ports");
  const seen = new Map<string, string>();
  for (const port of ports) {
    const name = port.text("name");
    const error = (key: string, problem: string, hint?: string): void =>
      report.error("bad-value", port.place(key), port.pathOf(key), problem, hint);
    if (name === undefined && ports.length > 1) error("name", "with several ports each needs a name");
    const number = `${port.integer("port")}/${port.text("protocol") ?? "TCP"}`;
    for (const [key, word] of [
      ["name", name],
      ["port", number],
    ] as const) {
      if (word === undefined) continue;
      if (seen.has(`${key} ${word}`)) error(key, `${word} is there twice`);
      seen.set(`${key} ${word}`, word);
    }
  }
}
