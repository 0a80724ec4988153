// podgen-pause.service: one per user, shared by all pods.
import pauseTemplate from "../../../templates/podgen-pause.service";
import type { HostFacts } from "../../base/facts.js";
import { execLine } from "./escape.js";
import { restartMode } from "./pod.js";
import { fill } from "./template.js";

export function pauseBody(facts: HostFacts): string {
  return fill(pauseTemplate, { EXEC_START: execLine([facts.paths.podrt, "pause"]), RESTART_MODE: restartMode(facts) });
}
