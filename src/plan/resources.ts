// Kubernetes' resources as systemd's resource control (systemd.resource-control(5)).
import type { Location } from "../base/diagnostic.js";
import type { Container, Resources } from "../model/types.js";
import type { PodContext } from "./context.js";
import type { PlannedResources } from "./types.js";

/** Whose resources they are, in a message: `container "app"`, or `pod` for the pod as a whole. */
export interface Consumer {
  readonly what: string;
  readonly limits: Resources;
  readonly requests: Resources;
  readonly at: Location;
  /** Of a container. */
  readonly bounds?: Pick<Container, "pidsLimit" | "cpuset" | "memoryNodes">;
}

/** podman's (containers.conf(5), pids_limit). */
const PIDS = 2048;

export function ofContainer(container: Container): Consumer {
  const { limits, requests, at } = container;
  return { what: `container "${container.name}"`, limits, requests, at, bounds: container };
}

/**
 * Limits and requests. CPU shares follow the request, or else the limit, as the kubelet's do. Warns when the user
 * manager has not been given the controller that would enforce them, and when nothing above it reserves the memory that
 * is requested: a cgroup's protection is bounded by its ancestors' (systemd.resource-control(5), MemoryMin=).
 */
export function planResources(context: PodContext, { what, limits, requests, at, bounds }: Consumer): PlannedResources {
  const cpuRequest = requests.cpuMillis ?? limits.cpuMillis;
  const wanted: PlannedResources = {
    ...(limits.cpuMillis === undefined ? {} : { cpuQuotaPercent: limits.cpuMillis / 10 }),
    ...(cpuRequest === undefined ? {} : { cpuWeight: cpuWeight(cpuRequest) }),
    ...(limits.memoryBytes === undefined ? {} : { memoryMax: limits.memoryBytes }),
    ...(requests.memoryBytes === undefined ? {} : { memoryMin: requests.memoryBytes }),
    ...(bounds === undefined ? {} : planBounds(bounds)),
  };
  const controllers = [
    ...(wanted.cpuQuotaPercent !== undefined || wanted.cpuWeight !== undefined ? ["cpu"] : []),
    ...(wanted.memoryMax !== undefined || wanted.memoryMin !== undefined ? ["memory"] : []),
    // Nobody has asked for the usual limit.
    ...(bounds?.pidsLimit === undefined ? [] : ["pids"]),
    ...(wanted.allowedCpus !== undefined || wanted.allowedMemoryNodes !== undefined ? ["cpuset"] : []),
  ];
  const missing = controllers.filter((name) => !context.facts.controllers.includes(name));
  const name = what === "pod" ? `pod "${context.pod.name}"` : `${what} of pod "${context.pod.name}"`;
  if (missing.length > 0) {
    const reason = `resources are not enforced: the ${listed(missing)} controller${missing.length > 1 ? "s are" : " is"} not delegated to the user manager`;
    const hint = "podgen doctor says how to delegate it (Delegate= on user@.service)";
    context.unenforced.push({ code: "no-controller", what: name, reason, hint, at });
  } else if (wanted.memoryMin !== undefined && !context.facts.memoryProtected) {
    const { uid } = context.facts;
    const hint = `root can, with MemoryMin= on user.slice, user-${uid}.slice and user@${uid}.service`;
    const reason = "requests.memory has no effect: no memory is reserved for this user";
    context.unenforced.push({ code: "no-effect", what: name, reason, hint, at });
  }
  return wanted;
}

function planBounds({ pidsLimit = PIDS, cpuset, memoryNodes }: NonNullable<Consumer["bounds"]>): PlannedResources {
  return {
    tasksMax: pidsLimit === 0 ? "infinity" : pidsLimit,
    ...(cpuset === undefined ? {} : { allowedCpus: cpuset }),
    ...(memoryNodes === undefined ? {} : { allowedMemoryNodes: memoryNodes }),
  };
}

function listed(names: readonly string[]): string {
  return names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Millicores to cgroup v2's cpu.weight, over cgroup v1's shares, as the kubelet computes it: 1 to 10000. */
export function cpuWeight(millis: number): number {
  const shares = Math.min(262144, Math.max(2, Math.floor((millis * 1024) / 1000)));
  return 1 + Math.floor(((shares - 2) * 9999) / 262142);
}
