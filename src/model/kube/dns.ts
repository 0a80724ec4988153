// What a pod says of names: hostAliases, dnsPolicy and dnsConfig.
import type { Reader } from "../../spec/reader.js";
import type { DnsWish, PodModel } from "../types.js";

export function readNames(spec: Reader | undefined): Pick<PodModel, "hostAliases" | "dns"> {
  const aliases = (spec?.objects("hostAliases") ?? []).map((r) => ({ ip: r.text("ip") ?? "", hostnames: r.texts("hostnames") ?? [] }));
  const named = aliases.filter((a) => a.hostnames.length > 0);
  const dns = readDns(spec);
  return { ...(named.length === 0 ? {} : { hostAliases: named }), ...(dns === undefined ? {} : { dns }) };
}

function readDns(spec: Reader | undefined): DnsWish | undefined {
  const alone = spec?.text("dnsPolicy") === "None";
  const config = spec?.object("dnsConfig");
  const options = (config?.objects("options") ?? []).map((o) => [o.text("name") ?? "", o.text("value") ?? ""].filter(Boolean).join(":"));
  const wish = { alone, nameservers: config?.texts("nameservers") ?? [], searches: config?.texts("searches") ?? [], options };
  return alone || wish.nameservers.length + options.length > 0 ? wish : undefined;
}
