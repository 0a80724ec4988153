// A privileged container has all that there is: what would take some of that away says two things, and Kubernetes lets privileged win.
import type { PodView } from "../view.js";

export function privileges({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    const security = reader.object("securityContext");
    if (security === undefined || !model.security.privileged) continue;
    const warning = (field: string, problem: string): void =>
      report.warning("no-effect", security.place(field), security.pathOf(field), `has no effect: ${problem}`, "remove one of them");
    // The API server refuses this one.
    if (security.flag("allowPrivilegeEscalation") === false) {
      const field = "allowPrivilegeEscalation";
      const problem = "is false, and the container is privileged";
      report.error("contradiction", security.place(field), security.pathOf(field), problem, "keep one of them");
    }
    if (model.security.capabilitiesDrop.length > 0)
      warning("capabilities", "it drops some, and the container is privileged, which has all");
    const seccomp = security.object("seccompProfile");
    if (seccomp !== undefined && seccomp.text("type") !== "Unconfined")
      warning("seccompProfile", "it asks for a filter, and the container is privileged, which has none");
  }
}
