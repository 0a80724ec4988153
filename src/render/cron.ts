// One CronJob's file and units, in the shape of a pod's, so that they go the same way from here on.
import { cronKey } from "../base/cron.js";
import type { HostFacts } from "../base/facts.js";
import type { PlannedCron } from "../plan/cron.js";
import { cronUnit } from "../plan/names.js";
import { cronMark } from "../plan/paths.js";
import type { RenderedFile, RenderedPod, RenderedUnit } from "./types.js";
import { cronJson, cronServiceBody, cronTimerBody } from "./units/cron.js";
import { withHeader } from "./units/header.js";

export function renderCron(planned: PlannedCron, facts: HostFacts): RenderedPod {
  const stem = cronUnit(planned.name);
  const origin = `from ${planned.source}, object CronJob/${planned.name}`;
  const bytes = new TextEncoder().encode(cronJson(planned));
  const files: RenderedFile[] = [{ path: planned.file, bytes, mode: 0o600, kind: "data", secret: false }];
  const units: RenderedUnit[] = [];
  const add = (role: RenderedUnit["role"], name: string, body: string): void => {
    const path = `${facts.paths.units}/${name}`;
    files.push({ path, bytes: withHeader(name, origin, body), mode: 0o644, kind: "unit", secret: false });
    units.push({ name, role, files: [path] });
  };
  add("cron", `${stem}.service`, cronServiceBody(planned, facts, false));
  add("cron", `${stem}__now.service`, cronServiceBody(planned, facts, true));
  add("schedule", `${stem}.timer`, cronTimerBody(planned));
  const { name, schedule, timeZone, policy, suspend, state, history, jobs } = planned;
  return {
    name: cronKey(name),
    source: planned.source,
    files,
    units,
    enable: [`${stem}.timer`],
    images: {},
    folders: [state.slice(0, state.lastIndexOf("/")), history, cronMark(facts.paths, name)],
    shifted: new Map(),
    objects: [],
    cron: { name, schedule, ...(timeZone === undefined ? {} : { timeZone }), policy, suspend, state, history, jobs },
  };
}
