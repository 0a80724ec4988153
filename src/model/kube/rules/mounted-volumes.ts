// What a container mounts must be a volume of its pod. A volume that nobody mounts is fine.
import { suggest } from "../../../base/suggest.js";
import { quote } from "../../../spec/quote.js";
import type { PodView } from "../view.js";

export function mountedVolumes({ model, spec, containers, report }: PodView): void {
  // A volume without a source is none of the model's, and another rule's matter; a claim template is none of the spec's.
  const known = new Set([...(spec?.objects("volumes") ?? []).map((v) => v.text("name") ?? ""), ...model.volumes.map((v) => v.name)]);
  for (const { reader } of containers)
    for (const mount of reader.objects("volumeMounts")) {
      const name = mount.text("name");
      if (name === undefined || known.has(name)) continue;
      const near = suggest(name, known);
      const meant = near === undefined ? "" : `, did you mean ${quote(near.word)}?`;
      const hint = known.size === 0 ? "the pod has no volumes: add one under spec.volumes" : `the pod's volumes: ${[...known].join(", ")}`;
      report.error("unknown-volume", mount.place("name"), mount.pathOf("name"), `the pod has no volume ${quote(name)}${meant}`, hint);
    }
}
