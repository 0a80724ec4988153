// The network: the uplink, ports below 1024, and names from inside a pod.
import { fail, type Outcome, ok, warn } from "../outcome.js";

export function decidePasta(path: string | undefined, install: string): Outcome {
  return path ? ok(path) : warn("not on PATH: pods with a network of their own reach nothing outside", install);
}

export function decidePorts(start: number): Outcome {
  if (start <= 80) return ok(`ports from ${start} on`);
  return {
    ...ok(`ports from ${start} on; a hostPort below that is refused`),
    fix: "echo 'net.ipv4.ip_unprivileged_port_start = 80' | sudo tee /etc/sysctl.d/60-podgen-ports.conf && sudo sysctl --system",
  };
}

export interface UplinkFacts {
  /** What the host itself resolves with. */
  readonly hostNameservers: readonly string[];
  /** Of a running pod; undefined when none runs. */
  readonly pod:
    | {
        readonly name: string;
        readonly defaultRoute: boolean;
        readonly nameservers: readonly string[];
        /** The name server that answered from inside the pod. */
        readonly answered: string | undefined;
        /** Why it could not be tried. */
        readonly error: string | undefined;
      }
    | undefined;
}

export function decideUplink({ hostNameservers, pod }: UplinkFacts): Outcome {
  if (hostNameservers.length === 0) return warn("/etc/resolv.conf names no server, so pods will resolve no names");
  if (!pod) return ok(`the host asks ${hostNameservers.join(", ")}; not tried from inside a pod, since none runs`);
  const status = `podgen status ${pod.name}`;
  if (!pod.defaultRoute) return warn(`pod ${pod.name} has no route out`, status);
  if (pod.nameservers.length === 0) return fail(`pod ${pod.name} has no name server in its resolv.conf`, `podgen restart ${pod.name}`);
  if (pod.error !== undefined) return warn(`pod ${pod.name} has a route out; names could not be tried: ${pod.error}`, status);
  if (pod.answered === undefined)
    return fail(
      `no answer from ${pod.nameservers.join(", ")} from inside pod ${pod.name}`,
      `systemctl --user status pod-${pod.name}__uplink.service`,
    );
  return ok(`${pod.answered} answers from inside pod ${pod.name}`);
}

/** True when /proc/PID/net/route (kernel, IPv4) or ipv6_route has a default route that leaves by more than loopback. */
export function hasDefaultRoute(route: string, route6: string): boolean {
  const v4 = route
    .split("\n")
    .slice(1)
    .some((line) => {
      const [device, destination, , , , , , mask] = line.trim().split(/\s+/);
      return device !== "lo" && destination === "00000000" && mask === "00000000";
    });
  const v6 = route6.split("\n").some((line) => {
    const fields = line.trim().split(/\s+/);
    return fields.length >= 10 && /^0+$/.test(fields[0] ?? "") && fields[1] === "00" && fields[9] !== "lo";
  });
  return v4 || v6;
}

/** The servers of a resolv.conf(5). */
export function parseNameservers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
}
