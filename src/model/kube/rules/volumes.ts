// Volumes have unique names and one source at most: none is an emptyDir, as in Kubernetes.
import { quote } from "../../../spec/quote.js";
import { VOLUME_SOURCES } from "../fields/volume.js";
import type { PodView } from "../view.js";

export function volumes({ spec, report }: PodView): void {
  const seen = new Map<string, number>();
  for (const volume of spec?.objects("volumes") ?? []) {
    const name = volume.text("name") ?? "";
    const first = seen.get(name);
    if (first !== undefined && name !== "")
      report.error(
        "duplicate-name",
        volume.place("name"),
        volume.pathOf("name"),
        `another volume is named ${quote(name)} too, in line ${first}`,
      );
    seen.set(name, volume.place("name").at.line);

    const present = VOLUME_SOURCES.filter((s) => volume.get(s) !== undefined);
    const [, second] = present;
    if (second !== undefined)
      report.error(
        "conflicting-fields",
        volume.keyPlace(second),
        volume.path,
        `has ${present.join(" and ")}, but takes one`,
        "make two volumes of it",
      );
  }
}
