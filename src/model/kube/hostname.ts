// The names a pod has: its host name, and the full one that Kubernetes' DNS would give it.
import type { PodModel } from "../types.js";

/** What Kubernetes calls the cluster's domain where nobody says otherwise. There is no DNS for it here: it stands in /etc/hosts. */
const CLUSTER_DOMAIN = "cluster.local";

type Named = Pick<PodModel, "name" | "namespace" | "hostname" | "subdomain" | "fqdn">;

/**
 * The hostname the containers see: what the pod asks for, else its name, cut to the 63 characters a hostname may have, with no `-` or
 * `.` at the end, as the kubelet does. Without its domain.
 */
function shortName(pod: Named): string {
  return pod.hostname ?? pod.name.slice(0, 63).replace(/[-.]+$/, "");
}

/** `web-0.web.default.svc.cluster.local`; undefined for a pod without a subdomain. */
export function fullName(pod: Named): string | undefined {
  return pod.subdomain === undefined ? undefined : `${shortName(pod)}.${pod.subdomain}.${pod.namespace}.svc.${CLUSTER_DOMAIN}`;
}

/** What the kernel says: the full name only where the pod asks for that (setHostnameAsFQDN). */
export function hostnameOf(pod: Named): string {
  return (pod.fqdn ? fullName(pod) : undefined) ?? shortName(pod);
}

/** The names of the pod's own line in /etc/hosts, the full one first: `hostname -f` says the first. Undefined: the host name alone. */
export function ownNames(pod: Named): readonly string[] | undefined {
  const full = fullName(pod);
  return full === undefined ? undefined : [full, shortName(pod)];
}
