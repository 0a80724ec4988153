// Helpers that stand still: every wait for one ends.

/**
 * The pieces of a helper's output. `late` is called when none comes for `ms` milliseconds while somebody waits, and is to end the helper;
 * not while it is `excused`, because it waits for others itself.
 */
export async function* unstalled<T>(
  pieces: AsyncIterable<T>,
  ms: number,
  late: () => void,
  excused: () => boolean = () => false,
): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setInterval(() => {
        if (!excused()) late();
      }, ms);
      let piece: IteratorResult<T>;
      try {
        piece = await iterator.next();
      } finally {
        clearInterval(timer);
      }
      if (piece.done === true) return;
      yield piece.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Waits for a step of a helper's; `late` is called where it takes longer than `ms` milliseconds, and is to end it. */
export async function within<T>(step: Promise<T>, ms: number, late: () => void): Promise<T> {
  const timer = setTimeout(late, ms);
  try {
    return await step;
  } finally {
    clearTimeout(timer);
  }
}
