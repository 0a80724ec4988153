// dnsPolicy None needs a name server of its own; search domains are one list, so they are the pod's or the host's.
import type { PodView } from "../view.js";

/** MAXNS of resolv.conf(5): resolvers read no more. */
const MAX_SERVERS = 3;

export function dns({ spec, report }: PodView): void {
  const config = spec?.object("dnsConfig");
  const alone = spec?.text("dnsPolicy") === "None";
  const servers = config?.texts("nameservers") ?? [];
  if (spec !== undefined && alone && servers.length === 0)
    report.error("contradiction", spec.place("dnsPolicy"), spec.pathOf("dnsPolicy"), "is None, and dnsConfig names no name server");
  if (config === undefined) return;
  if (servers.length > MAX_SERVERS)
    report.error("bad-value", config.place("nameservers"), config.pathOf("nameservers"), `has ${servers.length}; ${MAX_SERVERS} are read`);
  if (!alone && (config.texts("searches") ?? []).length > 0) {
    const problem = "not supported beside the host's: a resolver has one list of domains";
    report.error(
      "refused-field",
      config.keyPlace("searches"),
      config.pathOf("searches"),
      problem,
      "write dnsPolicy: None, and nameservers",
    );
  }
}
