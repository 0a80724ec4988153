// Kernel settings are of the pod's own namespaces: in the host's network and IPC there are none of its own, and no name is set twice.
import { quote } from "../../../spec/quote.js";
import type { PodView } from "../view.js";

export function sysctls({ model, spec, report }: PodView): void {
  const seen = new Map<string, number>();
  for (const item of spec?.object("securityContext")?.objects("sysctls") ?? []) {
    const name = item.text("name")?.replaceAll("/", ".");
    if (name === undefined) continue;
    const error = (code: string, problem: string, hint?: string): void =>
      report.error(code, item.place("name"), item.pathOf("name"), problem, hint);
    const first = seen.get(name);
    if (first !== undefined) error("duplicate-name", `${quote(name)} is set in line ${first} already`);
    if (model.hostIPC && !name.startsWith("net."))
      error("contradiction", `${quote(name)} would hold for the host, whose IPC the pod has`, "set it on the host (sysctl.d(5))");
    if (model.hostNetwork && name.startsWith("net."))
      error("contradiction", `${quote(name)} would hold for the host, whose network the pod has`, "set it on the host (sysctl.d(5))");
    seen.set(name, item.place("name").at.line);
  }
}
