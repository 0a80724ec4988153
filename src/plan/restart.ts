// When a container is started again: its own policy or the pod's, and its rules by exit code.
import type { Container, PodModel } from "../model/types.js";
import type { PlannedContainer } from "./types.js";

const CODES = Array.from({ length: 256 }, (_, code) => code);

export function planRestart(pod: PodModel, { init, sidecar, restartPolicy, restartRules }: Container): Restart {
  // All rules say the same, so that the first one that fits is any.
  const codes = CODES.filter((code) => restartRules?.some((rule) => rule.in === rule.codes.includes(code)));
  return {
    init: init && sidecar !== true,
    ...(sidecar === true ? { sidecar } : {}),
    restartPolicy: restartPolicy ?? pod.restartPolicy,
    ...(codes.length === 0 ? {} : { restartCodes: codes }),
  };
}

type Restart = Pick<PlannedContainer, "init" | "sidecar" | "restartPolicy" | "restartCodes">;
