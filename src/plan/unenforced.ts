// What the machine does not hold a pod to: said once per apply and reason, however many containers and volumes it is about.
import type { Diagnostic, Location } from "../base/diagnostic.js";

/** A wish that has no effect here. `what` has it: `container "app" of pod "web"`. */
export interface Unenforced {
  readonly code: string;
  readonly what: string;
  readonly reason: string;
  readonly hint?: string;
  readonly at: Location;
}

/** How many are named; of the others there is the number. */
const NAMED = 3;

/** One warning per reason, at the place of the first. */
export function oncePerReason(wishes: readonly Unenforced[]): Diagnostic[] {
  const groups = new Map<string, Unenforced[]>();
  for (const wish of wishes) {
    const group = groups.get(wish.reason) ?? [];
    group.push(wish);
    groups.set(wish.reason, group);
  }
  return [...groups.values()].flatMap((group): Diagnostic[] => {
    const [first] = group;
    if (first === undefined) return [];
    const names = [...new Set(group.map((wish) => wish.what))];
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const message = `${names.slice(0, NAMED).join(", ")}${more}: ${first.reason}`;
    return [{ code: first.code, severity: "warning", message, at: first.at, ...(first.hint === undefined ? {} : { hint: first.hint }) }];
  });
}
