// Names: units, run folders and the pod's hostname. The one place that spells them (DESIGN.md, table of units).

/** The unit that is the pod: the one to start, stop and enable. */
export function podUnit(pod: string): string {
  return `pod-${pod}.service`;
}

/** A container's or an init container's unit. Kubernetes names have no `_`, so no two specs can mean one unit. */
export function containerUnit(pod: string, container: string): string {
  return `pod-${pod}_${container}.service`;
}

/** What runs a container's probes. */
export function probeUnit(pod: string, container: string): string {
  return `pod-${pod}_${container}__probe.service`;
}

/** Infra: the pod's pause process, owner of its namespaces. */
export function infraUnit(pod: string): string {
  return `pod-${pod}__infra.service`;
}

/** pasta, for a pod with a network of its own. */
export function uplinkUnit(pod: string): string {
  return `pod-${pod}__uplink.service`;
}

/** Holds the containers back until other pods are as the pod asks. */
export function gateUnit(pod: string): string {
  return `pod-${pod}__gate.service`;
}

/** The stem of the two units of a pod's deadline: `.timer` and `.service` are added. */
export function deadlineUnit(pod: string): string {
  return `pod-${pod}__deadline`;
}

/** The stem of a CronJob's units: `.timer`, `.service`, and `__now.service` for runs by hand, are added. */
export function cronUnit(cron: string): string {
  return `podgen-cron-${cron}`;
}

export const PAUSE_UNIT = "podgen-pause.service";

/**
 * The stem of a published port's two units, `pod-web__8080-tcp`, with the host address in front when there is one. An
 * IPv6 address's `:` becomes `-`, which no address contains, so that two addresses stay two names.
 */
export function portUnit(pod: string, hostIP: string, hostPort: number, protocol: "TCP" | "UDP"): string {
  return `pod-${pod}__${hostPortName(hostIP, hostPort, protocol)}`;
}

/** The same of a Service's port, `podgen-svc-web__30080-tcp`. */
export function serviceUnit(service: string, hostIP: string, hostPort: number, protocol: "TCP" | "UDP"): string {
  return `podgen-svc-${service}__${hostPortName(hostIP, hostPort, protocol)}`;
}

function hostPortName(hostIP: string, hostPort: number, protocol: "TCP" | "UDP"): string {
  const address =
    hostIP === ""
      ? ""
      : `${hostIP
          .toLowerCase()
          .replace(/:/g, "-")
          .replace(/[^a-z0-9.-]/g, "_")}-`;
  return `${address}${hostPort}-${protocol.toLowerCase()}`;
}

/** A Job's controller. */
export function jobUnit(job: string): string {
  return `podgen-job-${job}.service`;
}

/** The name of infra where a container's name is asked for: run folder, state, bundle. */
export const INFRA = "_infra";

/** A run folder as podrt takes it, relative to its runtime folder. */
export function runDir(pod: string, container: string): string {
  return `pods/${pod}/${container}`;
}

/**
 * The pod's slice. In a slice's name `-` is a step down the tree, so that of a pod's name is escaped as systemd-escape
 * does: `pod-my\x2dweb.slice` lies below `pod.slice`.
 */
export function podSlice(pod: string): string {
  return `pod-${pod.replace(/[^a-z0-9.]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)}.slice`;
}

/** The longest name a unit may have, in bytes (UNIT_NAME_MAX of systemd, and NAME_MAX of the file that holds it). */
export const UNIT_NAME_MAX = 255;
