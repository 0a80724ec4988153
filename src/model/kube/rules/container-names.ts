// Names of containers are unique in a pod, init containers included: units and folders are named after them.
import type { Location } from "../../../base/diagnostic.js";
import { quote } from "../../../spec/quote.js";
import type { PodView } from "../view.js";

export function containerNames({ containers, report }: PodView): void {
  const seen = new Map<string, Location>();
  for (const { model, reader } of containers) {
    if (model.name === "") continue;
    const first = seen.get(model.name);
    if (first === undefined) seen.set(model.name, model.at);
    else
      report.error(
        "duplicate-name",
        reader.place("name"),
        reader.pathOf("name"),
        `another container is named ${quote(model.name)} too, at line ${first.line}, column ${first.column}`,
      );
  }
}
