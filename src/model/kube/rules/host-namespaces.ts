// A pod has one PID namespace; and what is the host's belongs to no user namespace of a pod's own (as in Kubernetes, with hostUsers: false).
import type { PodView } from "../view.js";

export function hostNamespaces({ model, spec, report }: PodView): void {
  if (spec === undefined) return;
  const error = (field: string, problem: string, hint: string): void =>
    report.error("contradiction", spec.place(field), spec.pathOf(field), problem, hint);
  if (spec.flag("hostPID") && spec.flag("shareProcessNamespace"))
    error("shareProcessNamespace", "is true, and hostPID is, too", "keep one of them");
  if (model.userns === undefined) return;
  for (const field of ["hostPID", "hostIPC"])
    if (spec.flag(field)) error(field, "is true, and the pod has a user namespace of its own", "keep one of them");
}
