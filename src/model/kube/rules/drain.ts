// podgen.io/drain-seconds must leave the grace period its place: what is not done with its connections then has that to end.
import { annotationKey } from "../annotations.js";
import type { PodView } from "../view.js";

export function drain({ model, reader, report }: PodView): void {
  const annotations = reader.object("metadata")?.object("annotations");
  const key = annotationKey(model.annotations, "drainSeconds");
  const seconds = model.drainSeconds ?? 0;
  const grace = model.terminationGracePeriodSeconds;
  if (annotations === undefined || key === undefined || !(seconds > 0 && seconds >= grace)) return;
  const problem = `must be less than terminationGracePeriodSeconds, which is ${grace}`;
  report.error("bad-annotation", annotations.place(key), annotations.pathOf(key), problem, "a longer terminationGracePeriodSeconds, or 0");
}
