// A template of pods: read and judged once, whatever number of pods is made of it.
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import { POD_SPEC } from "../fields/pod.js";
import { type MadePod, readPod } from "../pod.js";
import type { PodView } from "../view.js";

/**
 * The pod that `template` describes, with the name that `made` says: the longest one that will be, so that all fit. Findings go to
 * the template's own places. Undefined where there is no template (the walker has said so).
 */
export function readTemplate(owner: Reader, report: Report, made: MadePod): PodView | undefined {
  const template = owner.object("spec")?.object("template");
  return template === undefined ? undefined : readPod(template, report, made);
}

/** apps/v1: pods of these kinds run for good. Jobs have rules of their own. */
export function runsForGood({ model, spec, report }: PodView, kind: string): void {
  if (spec === undefined) return;
  if (model.restartPolicy !== "Always")
    report.error(
      "bad-value",
      spec.place("restartPolicy"),
      spec.pathOf("restartPolicy"),
      `pods of a ${kind} run for good: it must be Always`,
      "write a Job, or Pods",
    );
  const limited =
    spec.integer("activeDeadlineSeconds") !== undefined && POD_SPEC.fields.get("activeDeadlineSeconds")?.refused === undefined;
  if (limited)
    report.error(
      "bad-value",
      spec.keyPlace("activeDeadlineSeconds"),
      spec.pathOf("activeDeadlineSeconds"),
      `pods of a ${kind} run for good: there is no deadline`,
      "write a Job, or Pods",
    );
}

/** A port of the host has room for one pod: of several the others could never start. `count`: the field that says how many there are. */
export function onePortHolder({ model, containers, report }: PodView, pods: number, count: string): void {
  if (pods <= 1) return;
  for (const { model: container, reader } of containers)
    for (const [i, port] of container.ports.entries()) {
      const at = reader.objects("ports")[i];
      if (at === undefined || (port.hostPort === undefined && !model.hostNetwork)) continue;
      const field = port.hostPort === undefined ? "containerPort" : "hostPort";
      const problem = `port ${port.hostPort ?? port.containerPort} of the host can be one pod's only, and ${count} is ${pods}`;
      report.error(
        "shared-host-port",
        at.place(field),
        at.pathOf(field),
        problem,
        `write ${count}: 1, or a Pod for each with a port of its own`,
      );
    }
}
