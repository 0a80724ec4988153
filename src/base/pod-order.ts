// What one pod waits for of another: the words of podgen.io/after and podgen.io/requires, and the circles they may make.

/** started: its containers run; ready: they were ready together; completed: they have ended with success. */
export type PodCondition = "started" | "ready" | "completed";

/** One pod that another waits for. */
export interface PodEdge {
  readonly pod: string;
  readonly condition: PodCondition;
  /** It is started with the one that waits, and when it is stopped that one is stopped too; else only the order counts. */
  readonly requires: boolean;
}

/** The pods that each pod waits for, by name. */
export type PodEdges = ReadonlyMap<string, readonly PodEdge[]>;

/** What a pod waits for, in words: `pod db to be ready, pod migrate to be completed`. */
export function waitsFor(edges: readonly PodEdge[]): string {
  return edges.map((e) => `pod ${e.pod} to be ${e.condition}`).join(", ");
}

/** The first circle that `start` is part of, as the names on the way, `start` at both ends; undefined where there is none. */
export function circleOf(start: string, edges: PodEdges): readonly string[] | undefined {
  // Breadth first, so that it is the shortest one.
  const from = new Map<string, string>();
  const queue = [start];
  for (const name of queue)
    for (const { pod } of edges.get(name) ?? []) {
      if (pod === start) return [...wayTo(name, from), start];
      if (from.has(pod)) continue;
      from.set(pod, name);
      queue.push(pod);
    }
  return undefined;
}

function wayTo(name: string, from: ReadonlyMap<string, string>): string[] {
  const way = [name];
  for (let before = from.get(name); before !== undefined; before = from.get(before)) way.unshift(before);
  return way;
}

/** Names sorted so that each comes after all that it waits for; those without order between them stay as they were. Circles are cut. */
export function inOrder(names: readonly string[], edges: PodEdges): string[] {
  const sorted = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const { pod } of edges.get(name) ?? []) visit(pod);
    sorted.add(name);
  };
  for (const name of names) visit(name);
  return [...sorted].filter((name) => names.includes(name));
}
