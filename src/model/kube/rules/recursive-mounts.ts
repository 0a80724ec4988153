// recursiveReadOnly says how a mount is read-only, so it must be; subPath and subPathExpr are two words for one thing.
import type { PodView } from "../view.js";

export function recursiveMounts({ containers, report }: PodView): void {
  for (const { reader } of containers)
    for (const mount of reader.objects("volumeMounts")) {
      const word = mount.text("recursiveReadOnly");
      if (word !== undefined && word !== "Disabled" && mount.flag("readOnly") !== true)
        report.error(
          "contradiction",
          mount.place("recursiveReadOnly"),
          mount.pathOf("recursiveReadOnly"),
          `is ${word}, but the mount is not read-only`,
          "write readOnly: true too",
        );
      if (mount.text("subPath") && mount.text("subPathExpr"))
        report.error(
          "conflicting-fields",
          mount.keyPlace("subPathExpr"),
          mount.path,
          "has both subPath and subPathExpr",
          "keep one of the two",
        );
    }
}
