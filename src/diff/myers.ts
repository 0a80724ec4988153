// The shortest edit script between two lists of lines (E. W. Myers, "An O(ND) Difference Algorithm", 1986).

/** A line that stays, goes or comes. */
export interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

/** Beyond so many changed lines the shortest script is not worth its time: everything between goes and comes. */
const MAX_EDITS = 500;

/** Edits that turn `a` into `b`: deletions before insertions where both are possible. */
export function editScript(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const stay = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: " ", line }));
  const middle = shortest(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return [...stay(a.slice(0, head)), ...middle, ...stay(a.slice(a.length - tail))];
}

/** Finds how far each diagonal is reached with d edits, for growing d, then walks the way back. */
function shortest(a: readonly string[], b: readonly string[]): Edit[] {
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_EDITS); d++) {
    const next = new Map<number, number>(reach);
    trace.push(reach);
    for (let k = -d; k <= d; k += 2) {
      let x = goesDown(reach, k, d) ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
    reach = next;
  }
  return [...a.map((line): Edit => ({ kind: "-", line })), ...b.map((line): Edit => ({ kind: "+", line }))];
}

/** Whether diagonal k is best reached by an insertion (from the diagonal above) rather than a deletion. */
function goesDown(reach: ReadonlyMap<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1));
}

function at(reach: ReadonlyMap<number, number>, k: number): number {
  return reach.get(k) ?? -1;
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly ReadonlyMap<number, number>[]): Edit[] {
  const edits: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const down = goesDown(reach, k, d);
    const fromX = d === 0 ? 0 : down ? at(reach, k + 1) : at(reach, k - 1);
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    const startX = d === 0 ? 0 : down ? fromX : fromX + 1;
    for (; x > startX; x--) edits.push({ kind: " ", line: a[x - 1] ?? "" });
    if (d > 0) edits.push(down ? { kind: "+", line: b[fromY] ?? "" } : { kind: "-", line: a[fromX] ?? "" });
    x = fromX;
    y = fromY;
  }
  return edits.reverse();
}
