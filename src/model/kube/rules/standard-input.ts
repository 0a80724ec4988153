// stdinOnce is about a standard input that somebody may attach to: there is one only with stdin, and not at a terminal.
import type { PodView } from "../view.js";

export function standardInput({ containers, report }: PodView): void {
  const field = "stdinOnce";
  for (const { model, reader } of containers) {
    if (reader.flag(field) !== true) continue;
    if (reader.flag("stdin") !== true)
      report.warning("no-effect", reader.keyPlace(field), reader.pathOf(field), "has no effect without stdin: true", "remove it");
    else if (model.tty)
      report.error(
        "refused-field",
        reader.keyPlace(field),
        reader.pathOf(field),
        "not supported beside tty: true: nobody attaches to a terminal here",
        "remove one of them",
      );
  }
}
