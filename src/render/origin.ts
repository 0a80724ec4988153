// The name by which a generated file says where it comes from.
import type { PodPlan } from "../plan/types.js";

/** What people find in the source: `Pod/web`, or what makes it and which one it is of that, `Deployment/web, pod web-0`. */
export function objectOf({ name, owner }: Pick<PodPlan, "name" | "owner">): string {
  return owner === undefined ? `Pod/${name}` : `${owner.kind}/${owner.name}, pod ${name}`;
}
