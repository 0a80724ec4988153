// The units of a pod's activeDeadlineSeconds: a timer that starts and stops with the pod, and what it starts.
import serviceTemplate from "../../../templates/deadline.service";
import timerTemplate from "../../../templates/deadline.timer";
import type { HostFacts } from "../../base/facts.js";
import { podUnit } from "../../plan/names.js";
import type { PodPlan } from "../../plan/types.js";
import { execLine, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `pod-web__deadline.timer`. */
export function deadlineTimerBody(pod: PodPlan, seconds: number): string {
  return fill(timerTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: deadline after ${seconds} s`),
    POD: podUnit(pod.name),
    SECONDS: String(seconds),
  });
}

/** `pod-web__deadline.service`. */
export function deadlineBody(pod: PodPlan, seconds: number, facts: HostFacts): string {
  return fill(serviceTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: stops it at its deadline`),
    EXEC_START: execLine([facts.paths.podrt, "deadline", "--seconds", String(seconds), `pods/${pod.name}`]),
  });
}
