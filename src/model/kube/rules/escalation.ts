// Who may mount and load filters gains rights anyway: allowPrivilegeEscalation: false beside SYS_ADMIN says two things, as in Kubernetes.
import type { PodView } from "../view.js";

export function escalation({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    const security = reader.object("securityContext");
    const has = (name: string): boolean => model.security.capabilitiesAdd.includes(name);
    if (security === undefined || !model.security.noNewPrivileges || !(has("CAP_SYS_ADMIN") || has("ALL"))) continue;
    const problem = "is false, and the capability SYS_ADMIN is added, which is more than that";
    const path = security.pathOf("allowPrivilegeEscalation");
    report.error("contradiction", security.place("allowPrivilegeEscalation"), path, problem, "keep one of them");
  }
}
