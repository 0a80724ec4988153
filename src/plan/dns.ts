// A pod's own lines of /etc/hosts (hosts(5)) and /etc/resolv.conf (resolv.conf(5)).
import { ownNames } from "../model/kube/hostname.js";
import type { PodModel } from "../model/types.js";
import type { PodPlan } from "./types.js";

export function planNames(pod: PodModel): Pick<PodPlan, "ownNames" | "hosts" | "resolv"> {
  const { hostAliases = [], dns } = pod;
  const names = ownNames(pod);
  const hosts = hostAliases.map(({ ip, hostnames }) => `${ip}\t${hostnames.join("\t")}\n`).join("");
  return {
    ...(names === undefined ? {} : { ownNames: names }),
    ...(hosts === "" ? {} : { hosts }),
    ...(dns === undefined ? {} : { resolv: { text: resolvText(dns), alone: dns.alone } }),
  };
}

function resolvText({ nameservers, searches, options }: NonNullable<PodModel["dns"]>): string {
  const lines = [
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
