// A privileged container has all that there is: what would take some of that away says two things.
import type { PodView } from "../view.js";

export function privileges({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    const security = reader.object("securityContext");
    if (security === undefined || !model.security.privileged) continue;
    const error = (field: string, problem: string): void =>
      report.error("contradiction", security.place(field), security.pathOf(field), problem, "keep one of them");
    if (security.flag("allowPrivilegeEscalation") === false) error("allowPrivilegeEscalation", "is false, and the container is privileged");
    if (model.security.capabilitiesDrop.length > 0) error("capabilities", "drops some, and the container is privileged, which has all");
    const seccomp = security.object("seccompProfile");
    if (seccomp !== undefined && seccomp.text("type") !== "Unconfined")
      error("seccompProfile", "asks for a filter, and the container is privileged, which has none");
  }
}
