// Services as they are planned and remembered, and what they know of pods.

/** What Services go by in a pod: kept of every pod with labels. */
export interface ServedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ports of its containers that have a name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly hostNetwork?: true;
}

/** One port of the host at which a Service answers: one socket unit, and one that spreads what comes over the pods. */
export interface ServiceListener {
  /** `podgen-svc-web__30080-tcp`; `.socket` and `.service` are added. */
  readonly unit: string;
  /** Empty: every address. */
  readonly hostIP: string;
  readonly hostPort: number;
  readonly protocol: "TCP" | "UDP";
  /** Absent: both. */
  readonly family?: "IPv4" | "IPv6";
  /** The Service's own port that it is for, as `http` or `80/TCP`. */
  readonly of: string;
  /** A number, or the name of a container's port. */
  readonly target: number | string;
  /** Absolute path of the list of its pods. */
  readonly list: string;
  /** Lines of that list, `web-0 8080`. */
  readonly backends: readonly string[];
}

export interface ServiceRecord {
  readonly name: string;
  readonly type: "NodePort" | "LoadBalancer";
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** A client comes to the same pod again. */
  readonly affinity: boolean;
  /** Pods that are not ready count, too. */
  readonly notReady: boolean;
  /** Ranges of clients' addresses; empty: everybody. */
  readonly allow: readonly string[];
  readonly listeners: readonly ServiceListener[];
}

/** What stands for a Service among the pods of manifest, change set and report; no pod's name has a slash. */
export function serviceKey(name: string): string {
  return `service/${name}`;
}

export function isServiceKey(key: string): boolean {
  return key.startsWith("service/");
}

/** Whether a name in manifest, change set and report is a pod's: others have their kind in front. */
export function isPodKey(key: string): boolean {
  return !key.includes("/");
}

const SHOWN: Readonly<Record<string, string>> = { service: "Service", job: "Job", cron: "CronJob" };

/** `pod "web"`, or `Service "web"`, of a name in the manifest. */
export function shownKey(key: string): string {
  const [kind = "", name] = key.split("/");
  return name === undefined ? `pod "${key}"` : `${SHOWN[kind] ?? kind} "${name}"`;
}

export function matchesSelector(selector: Readonly<Record<string, string>>, namespace: string, pod: ServedPod): boolean {
  return pod.namespace === namespace && Object.entries(selector).every(([key, value]) => pod.labels[key] === value);
}
