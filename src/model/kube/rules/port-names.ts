// Names of ports are unique in a container: probes and Services refer to them.
import { quote } from "../../../spec/quote.js";
import type { PodView } from "../view.js";

export function portNames({ containers, report }: PodView): void {
  for (const { reader } of containers) {
    const seen = new Map<string, number>();
    for (const port of reader.objects("ports")) {
      const name = port.text("name");
      if (name === undefined || name === "") continue;
      const first = seen.get(name);
      if (first === undefined) seen.set(name, port.place("name").at.line);
      else
        report.error(
          "duplicate-name",
          port.place("name"),
          port.pathOf("name"),
          `another port is named ${quote(name)} too, in line ${first}`,
        );
    }
  }
}
