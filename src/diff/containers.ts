// The verdict on a container, in the words of people who think of containers and not of units. Pure.
import type { PodChange, UnitChange } from "./types.js";

/** recreate: another content; restart: the same one, because of its unit or of another unit; the rest as of units. */
export type ContainerVerdict = UnitChange["verdict"] | "recreate";

export interface ContainerChange {
  readonly name: string;
  readonly verdict: ContainerVerdict;
  readonly reasons: readonly string[];
}

/** The containers of a pod in the order in which they start; infra is none. */
export function containersOf(pod: PodChange): ContainerChange[] {
  return pod.units.flatMap(({ role, container, verdict, reasons, recreate, renewed }): ContainerChange[] => {
    if (container === undefined || (role !== "container" && role !== "init")) return [];
    return [{ name: container, verdict: recreate || renewed ? "recreate" : verdict, reasons }];
  });
}
