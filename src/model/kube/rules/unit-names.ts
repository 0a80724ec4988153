// systemd takes unit names of 255 characters; Kubernetes names may be long, and a unit's name holds two of them.
import type { PodView } from "../view.js";

/** UNIT_NAME_MAX (256) counts the byte at the end. */
const MAX = 255;

export function unitNames({ model, metadata, containers, report }: PodView): void {
  // The pod's own helpers first: a pod whose name is too long for them is one finding, not one per container.
  const infra = `pod-${model.name}__infra.service`;
  if (infra.length > MAX && metadata !== undefined) {
    report.error("name-too-long", metadata.place("name"), metadata.pathOf("name"), tooLong(infra), "choose a shorter name");
    return;
  }
  for (const container of containers) {
    const unit = `pod-${model.name}_${container.model.name}.service`;
    if (unit.length <= MAX) continue;
    report.error("name-too-long", container.reader.place("name"), container.reader.pathOf("name"), tooLong(unit), "choose a shorter name");
  }
}

function tooLong(unit: string): string {
  return `makes a unit name of ${unit.length} characters; systemd takes ${MAX}`;
}
