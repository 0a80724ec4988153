// Standard input without a terminal would be a pipe that nobody writes to and nobody closes: refused where it is asked for.
import type { PodView } from "../view.js";

export function standardInput({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    if (reader.flag("stdin") !== true || model.tty) continue;
    const problem = "not supported without tty: true: nobody attaches to a container here";
    report.error("refused-field", reader.keyPlace("stdin"), reader.pathOf("stdin"), problem, "remove it: standard input is empty then");
  }
}
