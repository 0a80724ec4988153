// Two files of a volume cannot be one, nor can one be a folder of the other; a file of the downward API comes from one place.
import type { Reader } from "../../../spec/reader.js";
import type { PodView } from "../view.js";

export function volumeItems({ spec, report }: PodView): void {
  for (const volume of spec?.objects("volumes") ?? []) {
    const sources = [volume, ...(volume.object("projected")?.objects("sources") ?? [])];
    const seen: { path: string; line: number }[] = [];
    for (const source of sources) {
      oneSource(source, source === volume, report);
      for (const item of itemsOf(source)) {
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
      for (const item of source.object("downwardAPI")?.objects("items") ?? []) checkFile(item, report);
    }
  }
}

function itemsOf(source: Reader): Reader[] {
  return ["configMap", "secret", "downwardAPI"].flatMap((kind) => source.object(kind)?.objects("items") ?? []);
}

const PROJECTIONS = ["configMap", "secret", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];

/** A source of a projected volume is one thing. */
function oneSource(source: Reader, isVolume: boolean, report: PodView["report"]): void {
  const present = isVolume ? [] : PROJECTIONS.filter((name) => source.get(name) !== undefined);
  const [, second] = present;
  if (second !== undefined)
    report.error(
      "conflicting-fields",
      source.keyPlace(second),
      source.path,
      `has ${present.join(" and ")}, but takes one`,
      "make two items of it",
    );
  else if (!isVolume && source.node.entries.size === 0)
    report.error("missing-field", source.node.place, source.path, "names no source: configMap, secret or downwardAPI");
}

function checkFile(item: Reader, report: PodView["report"]): void {
  const resource = item.object("resourceFieldRef");
  if (item.get("fieldRef") !== undefined && resource !== undefined)
    report.error("conflicting-fields", item.keyPlace("resourceFieldRef"), item.path, "has fieldRef and resourceFieldRef, but takes one");
  else if (item.get("fieldRef") === undefined && resource === undefined)
    report.error("missing-field", item.node.place, item.path, "names no source: fieldRef or resourceFieldRef");
  // A volume is no container's own: there is none whose resources would be meant.
  else if (resource !== undefined && resource.get("containerName") === undefined)
    report.error("missing-field", resource.node.place, resource.pathOf("containerName"), "missing");
}
