// A container's lifecycle hooks, as its bundle and its unit have them.
import type { Container, Hook } from "../model/types.js";
import type { PodContext } from "./context.js";
import { checkWord, lengthOf } from "./limits.js";
import type { PlannedContainer } from "./types.js";

/** Their words are taken as they are: Kubernetes looks for no variables in them. */
export function planHooks(context: PodContext, spec: Container): Pick<PlannedContainer, "postStart" | "preStop"> {
  const { postStart } = spec;
  // No grace is no time: Kubernetes runs no preStop then.
  const preStop = context.pod.terminationGracePeriodSeconds === 0 ? undefined : spec.preStop;
  check(context, spec, "postStart", postStart);
  check(context, spec, "preStop", preStop);
  return { ...(postStart === undefined ? {} : { postStart }), ...(preStop === undefined ? {} : { preStop }) };
}

function check(context: PodContext, spec: Container, name: string, hook: Hook | undefined): void {
  if (hook?.kind !== "exec") return;
  for (const [i, word] of hook.command.entries())
    checkWord(context, `container "${spec.name}": word ${i + 1} of its ${name}`, lengthOf(word), spec.at);
}
