// Two volumes cannot be mounted at one path of a container, nor the file for its last words at a volume's.
import type { PodView } from "../view.js";

export function mountPaths({ containers, report }: PodView): void {
  for (const { reader } of containers) {
    const seen = new Map<string, number>();
    for (const mount of reader.objects("volumeMounts")) {
      const path = mount.text("mountPath");
      if (path === undefined) continue;
      const clean = cleaned(path);
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
    const field = "terminationMessagePath";
    const words = reader.text(field);
    const line = words === undefined || words === "" ? undefined : seen.get(cleaned(words));
    if (line !== undefined)
      report.error("duplicate-mount", reader.place(field), reader.pathOf(field), `a volume is mounted there, in line ${line}`);
  }
}

function cleaned(path: string): string {
  return path.replace(/\/+(?:\.\/+)*/g, "/").replace(/(.)(?:\/|\/\.)$/, "$1");
}
