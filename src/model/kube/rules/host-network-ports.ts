// In the host's network a container listens on the host itself: a hostPort can only be its containerPort.
import type { PodView } from "../view.js";

export function hostNetworkPorts({ model, containers, report }: PodView): void {
  if (!model.hostNetwork) return;
  for (const { reader } of containers)
    for (const port of reader.objects("ports")) {
      const hostPort = port.integer("hostPort");
      const containerPort = port.integer("containerPort");
      if (hostPort === undefined || containerPort === undefined || hostPort === containerPort) continue;
      report.error(
        "bad-value",
        port.place("hostPort"),
        port.pathOf("hostPort"),
        `${hostPort} differs from containerPort ${containerPort}, but the pod has hostNetwork`,
        `remove hostPort, or write ${containerPort}`,
      );
    }
}
