// Plan -> bytes of every file. Pure; the same plan gives the same bytes.
import type { HostFacts } from "../base/facts.js";
import { recordOf } from "../base/record.js";
import { PAUSE_UNIT } from "../plan/names.js";
import type { Plan } from "../plan/types.js";
import { renderCron } from "./cron.js";
import { renderJob } from "./job.js";
import { renderPod } from "./pod.js";
import { renderService } from "./service.js";
import type { Rendered, RenderedFile } from "./types.js";
import { withHeader } from "./units/header.js";
import { pauseBody } from "./units/pause.js";

/** Renders a whole plan. Throws only on values that no unit file can hold, which the planner refuses before. */
export function renderPlan(plan: Plan, facts: HostFacts): Rendered {
  const shared: RenderedFile[] = [];
  if (plan.pause) {
    const bytes = withHeader(PAUSE_UNIT, "for all pods of this user", pauseBody(facts));
    shared.push({ path: `${facts.paths.units}/${PAUSE_UNIT}`, bytes, mode: 0o644, kind: "unit", secret: false });
  }
  for (const { path, bytes, mode, secret } of plan.objects) shared.push({ path, bytes, mode, kind: "object", secret });
  return {
    pods: [
      ...plan.pods.map((pod) => renderPod(pod, facts)),
      ...plan.services.map((service) => renderService(service, facts)),
      ...(plan.jobs ?? []).map((job) => renderJob(job, facts)),
      ...(plan.crons ?? []).map((cron) => renderCron(cron, facts)),
    ],
    shared,
    ...(plan.workloads === undefined
      ? {}
      : { workloads: plan.workloads.map((w) => ({ ...w, surge: w.surge.map((pod) => renderPod(pod, facts)) })) }),
    objects: recordOf(plan.objects.map(({ key, path, source }) => [key, { path, source }])),
  };
}
