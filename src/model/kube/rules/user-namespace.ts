// hostUsers and the annotation must not contradict each other: a pod has one user namespace.
import { quote } from "../../../spec/quote.js";
import { annotationOf } from "../annotations.js";
import { isProblem, parseUserns } from "../userns.js";
import type { PodView } from "../view.js";

export function userNamespace({ model, reader, spec, report }: PodView): void {
  const words = annotationOf(model.annotations, "userns");
  const hostUsers = spec?.flag("hostUsers");
  if (words === undefined || hostUsers === undefined || spec === undefined) return;
  const wish = parseUserns(words);
  // What the words should be is the annotation's own check.
  if (isProblem(wish) || (wish.mode === "shared") === hostUsers) return;
  const place = reader.object("metadata")?.object("annotations")?.node.place.at;
  const where = place === undefined ? "" : ` of line ${place.line}`;
  const problem = `is ${hostUsers}, and the annotation userns${where} says ${quote(words)}`;
  report.error("contradiction", spec.place("hostUsers"), spec.pathOf("hostUsers"), problem, "keep one of them");
}
