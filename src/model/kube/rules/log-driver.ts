// Somebody has to read a terminal, else what writes to it waits for ever: its output goes to the journal.
import { annotationKey } from "../annotations.js";
import type { PodView } from "../view.js";

export function logDriver({ model, containers, report }: PodView): void {
  for (const { model: container, reader } of containers) {
    if (!container.noLog || !container.tty) continue;
    const key = annotationKey(model.annotations, "logDriver", container.name);
    report.error(
      "contradiction",
      reader.place("tty"),
      reader.pathOf("tty"),
      `is true, and the annotation ${key} says none`,
      "keep one of them",
    );
  }
}
