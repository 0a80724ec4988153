// The units of the pod itself: pod, slice, infra, uplink.
import infraTemplate from "../../../templates/infra.service";
import podTemplate from "../../../templates/pod.service";
import sliceTemplate from "../../../templates/pod.slice";
import uplinkTemplate from "../../../templates/uplink.service";
import type { HostFacts } from "../../base/facts.js";
import { containerUnit, deadlineUnit, gateUnit, INFRA, infraUnit, podSlice, podUnit, runDir, uplinkUnit } from "../../plan/names.js";
import { bundleFolder } from "../../plan/paths.js";
import { mains } from "../../plan/sequence.js";
import type { PodPlan } from "../../plan/types.js";
import { limitValues, podStopSeconds } from "./container.js";
import { execLine, unitList, unitValue } from "./escape.js";
import { fill } from "./template.js";

/** `pod-web.service`: active when every container was started once. */
export function podBody(pod: PodPlan, facts: HostFacts): string {
  const { podrt } = facts.paths;
  const sidecars = pod.containers.filter((c) => c.sidecar);
  const parts = [
    infraUnit(pod.name),
    ...(pod.after === undefined ? [] : [gateUnit(pod.name)]),
    ...(pod.uplink ? [uplinkUnit(pod.name)] : []),
    ...(pod.deadlineSeconds === undefined ? [] : [`${deadlineUnit(pod.name)}.timer`]),
    ...pod.containers.map((c) => containerUnit(pod.name, c.name)),
    ...pod.ports.map((p) => `${p.unit}.socket`),
  ];
  const run = (names: readonly string[]): string[] => names.map((name) => runDir(pod.name, name));
  const beside = run(sidecars.map((c) => c.name)).flatMap((folder) => ["--sidecar", folder]);
  // One that has ended for good was started, too.
  const once = mains(pod).some((c) => c.restartPolicy !== "Always") ? ["--once"] : [];
  const ready = [...once, ...beside, ...run(mains(pod).map((c) => c.name))];
  const gone = run([...pod.containers.map((c) => c.name), INFRA]);
  return fill(podTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}`),
    WANTS: unitList(parts),
    REQUIRES: unitList((pod.after ?? []).filter((a) => a.requires).map((a) => podUnit(a.pod))),
    AFTER: unitList((pod.after ?? []).map((a) => podUnit(a.pod))),
    EXEC_START: execLine([podrt, "wait", "--ready", ...ready]),
    // All containers stop as podStopSeconds says; then infra, with its own five seconds. Only then does waiting give up.
    EXEC_STOP_POST: execLine([podrt, "wait", "--gone", "--timeout", String(podStopSeconds(pod) + 8), ...gone]),
    TIMEOUT_STOP: String(podStopSeconds(pod) + 10),
  });
}

/** `pod-web.slice`: the pod's cgroup. */
export function sliceBody(pod: PodPlan): string {
  const memory = Math.max(memoryMin(pod), pod.resources.memoryMin ?? 0);
  return fill(sliceTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}`),
    ...limitValues({ ...pod.resources, ...(memory === 0 ? {} : { memoryMin: memory }) }),
  });
}

/** What the pod's containers request at a time; theirs counts up to this. Init containers run one by one, before all others. */
function memoryMin(pod: PodPlan): number {
  const of = (init: boolean): number[] => pod.containers.filter((c) => c.init === init).map((c) => c.memoryMin ?? 0);
  return Math.max(
    ...of(true),
    of(false).reduce((sum, bytes) => sum + bytes, 0),
  );
}

/** `pod-web__infra.service`. */
export function infraBody(pod: PodPlan, facts: HostFacts): string {
  return fill(infraTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: namespaces and logs`),
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    EXEC_START: execLine([facts.paths.podrt, "infra", "--bundle", bundleFolder(facts.paths, pod.name, INFRA)]),
  });
}

/** `pod-web__uplink.service`: pasta for infra's network namespace. */
export function uplinkBody(pod: PodPlan, facts: HostFacts): string {
  return fill(uplinkTemplate, {
    DESCRIPTION: unitValue(`Pod ${pod.name}: uplink`),
    INFRA: infraUnit(pod.name),
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    EXEC_START: execLine([facts.paths.podrt, "uplink", "--join", runDir(pod.name, INFRA)]),
  });
}
