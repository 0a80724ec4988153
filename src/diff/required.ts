// Pods that cannot go alone: another that stays requires them.
import type { ManifestPod } from "../base/installed.js";

export interface Required {
  readonly pod: string;
  /** Who requires it. */
  readonly by: string;
}

/** Of the pods that go, those that one of `staying`, as they are then, requires (podgen.io/requires). */
export function stillRequired(gone: readonly string[], staying: readonly Pick<ManifestPod, "name" | "after">[]): Required[] {
  const leaving = new Set(gone);
  return staying.flatMap(({ name, after = [] }) =>
    after.filter((edge) => edge.requires && leaving.has(edge.pod)).map((edge) => ({ pod: edge.pod, by: name })),
  );
}
