// "Did you mean": the nearest of a few known words.

/** Case, `-` and `_` do not count as mistakes worth a distance: `image_pull_policy` is `imagePullPolicy`. */
function fold(word: string): string {
  return word.replace(/[-_]/g, "").toLowerCase();
}

/**
 * Edits (insert, delete, replace, swap of neighbours) from one word to another, counted no further than `limit`:
 * what is farther away gives `limit + 1`. Only the last three rows of the usual table are kept.
 */
export function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let best = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = above;
    above = row;
  }
  return Math.min(above[to.length] ?? 0, limit + 1);
}

export interface Suggestion {
  readonly word: string;
  /** 0 when only case, `-` or `_` differ. */
  readonly distance: number;
}

/** The candidate nearest to the word, if one is near enough to be meant: a third of its letters, three at most. */
export function suggest(word: string, candidates: Iterable<string>): Suggestion | undefined {
  const folded = fold(word);
  if (folded.length < 2 || folded.length > 100) return undefined;
  const limit = Math.min(3, Math.max(1, Math.floor(folded.length / 3)));
  let best: Suggestion | undefined;
  for (const candidate of candidates) {
    const d = distance(folded, fold(candidate), best === undefined ? limit : best.distance - 1);
    if (d <= limit && (best === undefined || d < best.distance)) best = { word: candidate, distance: d };
    if (d === 0) break;
  }
  return best;
}
