// Kubernetes' resources as systemd's resource control (systemd.resource-control(5)).
import type { Container } from "../model/types.js";
import { type PodContext, warn } from "./context.js";
import type { PlannedContainer } from "./types.js";

export type PlannedResources = Pick<PlannedContainer, "cpuQuotaPercent" | "cpuWeight" | "memoryMax" | "memoryMin">;

/**
 * Limits and requests. CPU shares follow the request, or else the limit, as the kubelet's do. Warns when the user
 * manager has not been given the controller that would enforce them, and when nothing above it reserves the memory that
 * is requested: a cgroup's protection is bounded by its ancestors' (systemd.resource-control(5), MemoryMin=).
 */
export function planResources(context: PodContext, container: Container): PlannedResources {
  const { limits, requests } = container;
  const cpuRequest = requests.cpuMillis ?? limits.cpuMillis;
  const wanted: PlannedResources = {
    ...(limits.cpuMillis === undefined ? {} : { cpuQuotaPercent: limits.cpuMillis / 10 }),
    ...(cpuRequest === undefined ? {} : { cpuWeight: cpuWeight(cpuRequest) }),
    ...(limits.memoryBytes === undefined ? {} : { memoryMax: limits.memoryBytes }),
    ...(requests.memoryBytes === undefined ? {} : { memoryMin: requests.memoryBytes }),
  };
  const controllers = [
    ...(wanted.cpuQuotaPercent !== undefined || wanted.cpuWeight !== undefined ? ["cpu"] : []),
    ...(wanted.memoryMax !== undefined || wanted.memoryMin !== undefined ? ["memory"] : []),
  ];
  const missing = controllers.filter((name) => !context.facts.controllers.includes(name));
  if (missing.length > 0) {
    const message = `container "${container.name}": resources are not enforced: the ${missing.join(" and ")} controller is not delegated to the user manager`;
    warn(context, "no-controller", container.at, message, "podgen doctor says how to delegate it (Delegate= on user@.service)");
  } else if (wanted.memoryMin !== undefined && !context.facts.memoryProtected) {
    const message = `container "${container.name}": requests.memory has no effect: no memory is reserved for this user`;
    const { uid } = context.facts;
    warn(context, "no-effect", container.at, message, `root can, with MemoryMin= on user.slice, user-${uid}.slice and user@${uid}.service`);
  }
  return wanted;
}

/** Millicores to cgroup v2's cpu.weight, over cgroup v1's shares, as the kubelet computes it: 1 to 10000. */
export function cpuWeight(millis: number): number {
  const shares = Math.min(262144, Math.max(2, Math.floor((millis * 1024) / 1000)));
  return 1 + Math.floor(((shares - 2) * 9999) / 262142);
}
