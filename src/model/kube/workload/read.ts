// Deployments, StatefulSets, DaemonSets, ReplicaSets and what those were before: a template becomes pods with fixed names, NAME-0, NAME-1, ….
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import type { ClaimModel, Container, PodModel, WorkloadKind, WorkloadModel } from "../../types.js";
import { readMetadata } from "../metadata.js";
import { matching, readSelector, selects } from "../selector.js";
import type { Found, PodView } from "../view.js";
import { readClaims } from "./claims.js";
import { readStrategy } from "./strategy.js";
import { onePortHolder, readTemplate, runsForGood } from "./template.js";

/** More pods of one template are a slip of the finger on one machine. */
const MAX_PODS = 1000;

export interface ReadWorkload {
  readonly model: WorkloadModel;
  /** Those that run. */
  readonly pods: readonly PodModel[];
  /** The template, as the pod with the longest name; undefined where it is missing. */
  readonly view: PodView | undefined;
  /** Of all pods together. */
  readonly claims: readonly ClaimModel[];
  /** Of the claims. */
  readonly templates: readonly Found[];
}

/** Reads what the walker has let through, reports what is wrong with it, and makes the pods. */
export function readWorkload(kind: WorkloadKind, document: Reader, report: Report): ReadWorkload {
  const metadata = readMetadata(kind, document);
  const spec = document.object("spec");
  const replicas = readReplicas(kind, spec, report);
  const first = spec?.object("ordinals")?.integer("start") ?? 0;
  const wish = readStrategy({ kind, name: metadata.name, spec, report, replicas });
  // Surge pods take the next numbers; without room for one pod to be missing there must be some.
  const beyond = wish.how === "rolling" && wish.maxUnavailable === 0 && replicas > 0 ? Math.min(wish.maxSurge, replicas) : 0;
  const claims = readClaims(spec, metadata.name, report);
  const nameOf = (index: number): string => `${metadata.name}-${index}`;
  const last = first + Math.max(0, replicas + beyond - 1);
  const view = readTemplate(document, report, {
    name: nameOf(last),
    namespace: metadata.namespace,
    at: metadata.at,
    metadata: document.object("metadata"),
    volumes: claims.volumes(last),
  });
  if (view !== undefined) {
    runsForGood(view, kind);
    onePortHolder(view, replicas, "replicas");
    matchSelector(kind, spec, view, report);
  }
  const domain = spec?.text("serviceName") || undefined;
  const made = (index: number): PodModel[] =>
    view === undefined
      ? []
      : [makePod(view.model, metadata, { index, claimed: claims.volumes(index), waits: wish.ordered && index > first, domain })];
  const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  const alone = view === undefined ? undefined : oneHolder(view.model);
  const surge =
    alone === undefined
      ? numbers(first + replicas, beyond)
          .flatMap(made)
          .map(standIn)
      : [];
  const rollout = alone === undefined || wish.maxSurge === 0 ? wish : { ...wish, noSurge: alone };
  const pods = numbers(first, replicas).flatMap(made);
  // What is said of the template's pods is said of one that there is.
  const shown = view === undefined ? undefined : { ...view, model: pods.at(-1) ?? view.model };
  const own = numbers(first, replicas).flatMap(claims.claims);
  const model = { ...metadata, replicas, rollout, claims: own.map((c) => c.name), surge };
  return { model, pods, view: shown, claims: own, templates: claims.templates };
}

function readReplicas(kind: WorkloadKind, spec: Reader | undefined, report: Report): number {
  // A machine is one node.
  if (kind === "DaemonSet") return 1;
  const replicas = spec?.integer("replicas") ?? 1;
  if (replicas <= MAX_PODS || spec === undefined) return Math.max(0, replicas);
  report.error("bad-value", spec.place("replicas"), spec.pathOf("replicas"), `podgen makes ${MAX_PODS} pods of a template at most`);
  return 1;
}

/** No selector may miss its own pods; apps/v1 takes none that is empty, and a ReplicationController's is then the pods' labels. */
function matchSelector(kind: WorkloadKind, spec: Reader | undefined, view: PodView, report: Report): void {
  if (spec === undefined) return;
  const plain = kind === "ReplicationController";
  const reader = plain ? undefined : spec.object("selector");
  if (!plain && reader === undefined) return;
  const selector = reader === undefined ? matching(spec.textMap("selector")) : readSelector(reader, report);
  const at = (problem: string, hint: string): void =>
    report.error("bad-selector", spec.keyPlace("selector"), spec.pathOf("selector"), problem, hint);
  if (selector.requirements.length === 0 && !plain) at("is empty", "write matchLabels with labels of template.metadata");
  else if (!selects(selector, view.model.labels))
    at("does not select the template's own pods", "give template.metadata.labels what it asks for");
}

/** What a pod has for itself. */
interface Numbered {
  readonly index: number;
  readonly claimed: PodModel["volumes"];
  /** For the pod before it. */
  readonly waits: boolean;
  /** A StatefulSet's serviceName. */
  readonly domain: string | undefined;
}

/** One pod of the template. Of a StatefulSet it has the labels that Kubernetes gives it, too. */
function makePod(
  template: PodModel,
  { kind, name }: Pick<WorkloadModel, "kind" | "name">,
  { index, claimed, waits, domain }: Numbered,
): PodModel {
  const own = `${name}-${index}`;
  const labels = { ...template.labels, "apps.kubernetes.io/pod-index": String(index), "statefulset.kubernetes.io/pod-name": own };
  return {
    ...template,
    name: own,
    owner: { kind, name, index },
    ...(kind === "StatefulSet" ? { labels, hostname: own } : {}),
    ...(domain === undefined ? {} : { subdomain: domain }),
    volumes: template.volumes.map((volume) => claimed.find((c) => c.name === volume.name) ?? volume),
    ...(waits ? { order: [...(template.order ?? []), after(`${name}-${index - 1}`, template.at)] } : {}),
  };
}

/** podManagementPolicy OrderedReady, at every start and boot. */
function after(name: string, at: PodModel["at"]): NonNullable<PodModel["order"]>[number] {
  return { kind: "pod", name, condition: "ready", requires: false, at };
}

/** Ports of the host are the first pod's, whose socket units lead to its stand-ins too. */
function standIn(pod: PodModel): PodModel {
  const unpublished = (c: Container): Container => ({ ...c, ports: c.ports.map(({ hostPort: _, ...port }) => port) });
  return { ...pod, initContainers: pod.initContainers.map(unpublished), containers: pod.containers.map(unpublished) };
}

/** Why no second pod of this template can run beside one, as a clause; undefined where it can. */
function oneHolder({ containers, initContainers, hostNetwork, userns }: PodModel): string | undefined {
  if (userns?.mode === "auto") return "each pod has ids of its own, and of those there are few";
  const all = [...initContainers, ...containers];
  const passed = all.find((c) => c.sockets !== undefined);
  if (passed !== undefined) return `container "${passed.name}" has listening sockets of the host itself`;
  const held = hostNetwork ? all.flatMap((c) => c.ports)[0] : undefined;
  return held === undefined ? undefined : `port ${held.hostPort ?? held.containerPort} of the host has room for one pod`;
}
