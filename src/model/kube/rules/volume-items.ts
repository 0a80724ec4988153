// Two items of a volume cannot be one file, nor can one be a folder of the other.
import type { PodView } from "../view.js";

export function volumeItems({ spec, report }: PodView): void {
  for (const volume of spec?.objects("volumes") ?? [])
    for (const kind of ["configMap", "secret"]) {
      const seen: { path: string; line: number }[] = [];
      for (const item of volume.object(kind)?.objects("items") ?? []) {
        const path = item.text("path")?.replace(/\/{2,}/g, "/");
        if (path === undefined) continue;
        const clash = seen.find((s) => s.path === path || s.path.startsWith(`${path}/`) || path.startsWith(`${s.path}/`));
        if (clash !== undefined)
          report.error(
            "duplicate-mount",
            item.place("path"),
            item.pathOf("path"),
            `clashes with the path "${clash.path}" in line ${clash.line}`,
          );
        seen.push({ path, line: item.place("path").at.line });
      }
    }
}
