// A pod's names: hostnameOverride is the whole name, and what the kernel is told has an end.
import { fullName } from "../hostname.js";
import type { PodView } from "../view.js";

/** __NEW_UTS_LEN of the kernel. */
const LONGEST = 64;

export function hostNames({ model, spec, report }: PodView): void {
  if (spec === undefined) return;
  const error = (field: string, code: string, problem: string, hint: string): void =>
    report.error(code, spec.place(field), spec.pathOf(field), problem, hint);
  if (spec.text("hostnameOverride") && spec.flag("setHostnameAsFQDN"))
    error("setHostnameAsFQDN", "contradiction", "is true, and hostnameOverride says what the host name is", "keep one of them");
  else if (spec.text("hostnameOverride") && spec.text("subdomain"))
    error("subdomain", "contradiction", "says nothing beside hostnameOverride, which is the whole name", "keep one of them");
  const full = model.fqdn ? fullName(model) : undefined;
  if (full !== undefined && full.length > LONGEST) {
    const problem = `makes a host name of ${full.length} characters (${full}); ${LONGEST} is the most`;
    error("setHostnameAsFQDN", "bad-value", problem, "choose shorter names, or remove it");
  }
}
