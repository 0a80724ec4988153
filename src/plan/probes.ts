// A container's probes: what they take of the unit's words, and how long they may need.
import type { Container, Probe } from "../model/types.js";
import type { PodContext } from "./context.js";
import { expand } from "./expand.js";
import { checkWord, lengthOf } from "./limits.js";
import type { PlannedContainer } from "./types.js";

/** Of variables their words know those with a value of their own, as in Kubernetes: not what comes from elsewhere. */
export function planProbes(context: PodContext, spec: Container): Pick<PlannedContainer, "probes"> {
  if (spec.probes === undefined) return {};
  const values = new Map(spec.env.flatMap(({ name, source }) => (source.kind === "value" ? [[name, source.value]] : [])));
  const probes = Object.entries(spec.probes).map(([kind, probe]) => {
    if (probe.handler.kind !== "exec") return [kind, probe];
    const command = probe.handler.command.map((word) => expand(word, (name) => values.get(name)).text);
    for (const [i, word] of command.entries())
      checkWord(context, `container "${spec.name}": word ${i + 1} of its ${kind} probe`, lengthOf(word), spec.at);
    return [kind, { ...probe, handler: { kind: "exec", command } }];
  });
  return { probes: Object.fromEntries(probes) };
}

/** Whether it is its probes that say when it is ready, and not its start. */
export function isGated({ probes }: PlannedContainer): boolean {
  return probes?.startup !== undefined || probes?.readiness !== undefined;
}

/** Seconds after its start in which a container may become ready without any of its probes having given up. */
export function patience({ probes }: Pick<PlannedContainer, "probes">): number {
  return (probes?.startup === undefined ? 0 : longest(probes.startup)) + (probes?.readiness === undefined ? 0 : longest(probes.readiness));
}

function longest(probe: Probe): number {
  const tries = probe.failureThreshold + probe.successThreshold - 1;
  return probe.initialDelaySeconds + probe.periodSeconds * tries + probe.timeoutSeconds;
}
