// An init container has ended when the others start: a port published for it answers only before that.
import type { PodView } from "../view.js";

export function initPorts({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    if (!model.init || model.sidecar === true || !model.ports.some((p) => p.hostPort !== undefined)) continue;
    report.warning("init-port", reader.keyPlace("ports"), reader.pathOf("ports"), "an init container's ports answer only while it runs");
  }
}
