// The unit that holds a pod's containers back until other pods are as it asks.
import gateTemplate from "../../../templates/gate.service";
import type { HostFacts } from "../../base/facts.js";
import { infraUnit, podSlice, podUnit } from "../../plan/names.js";
import type { PlannedAfter, PodPlan } from "../../plan/types.js";
import { execLine, unitList, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `pod-web__gate.service`. */
export function gateBody(pod: PodPlan, after: readonly PlannedAfter[], facts: HostFacts): string {
  // One that has to be started only is looked for as soon as it has namespaces; the pod's own unit starts when it is ready.
  const first = (a: PlannedAfter): string => (a.condition === "started" ? infraUnit(a.pod) : podUnit(a.pod));
  const words = after.flatMap((a) => [a.requires ? "--requires" : "--after", `${a.pod}:${a.condition}`]);
  return fill(gateTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: waits for ${after.map((a) => `${a.pod} (${a.condition})`).join(", ")}`),
    WANTS: unitList(after.filter((a) => a.requires).map((a) => podUnit(a.pod))),
    AFTER: unitList(after.flatMap((a) => [first(a), ...a.units])),
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    EXEC_START: execLine([facts.paths.podrt, "gate", ...words]),
  });
}
