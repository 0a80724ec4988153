// podgen-pause.service: one per user, shared by all pods.
import pauseTemplate from "../../../templates/podgen-pause.service";
import type { HostFacts } from "../../base/facts.js";
import { execLine } from "./escape.js";
import { fill } from "./template.js";

export function pauseBody(facts: HostFacts): string {
  return fill(pauseTemplate, { EXEC_START: execLine([facts.paths.podrt, "pause"]), RESTART_MODE: restartMode(facts) });
}

/**
 * From systemd 254 on a restart need not pass through `failed`, which would cancel the jobs of what requires the unit
 * (UNITS.md, 3). Older ones would warn of the line.
 */
function restartMode(facts: HostFacts): string | undefined {
  return facts.systemdVersion >= 254 ? "direct" : undefined;
}
