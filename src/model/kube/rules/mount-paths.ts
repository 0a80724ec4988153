// Two volumes cannot be mounted at one path of a container.
import type { PodView } from "../view.js";

export function mountPaths({ containers, report }: PodView): void {
  for (const { reader } of containers) {
    const seen = new Map<string, number>();
    for (const mount of reader.objects("volumeMounts")) {
      const path = mount.text("mountPath");
      if (path === undefined) continue;
      const clean = path.replace(/\/+(?:\.\/+)*/g, "/").replace(/(.)(?:\/|\/\.)$/, "$1");
      const first = seen.get(clean);
      if (first !== undefined)
        report.error(
          "duplicate-mount",
          mount.place("mountPath"),
          mount.pathOf("mountPath"),
          `another volume is mounted at ${clean}, in line ${first}`,
        );
      else seen.set(clean, mount.place("mountPath").at.line);
    }
  }
}
