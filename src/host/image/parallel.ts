// A few things at once, and the first failure ends them all.

/** Runs `work` on all items, `width` at a time. The first failure stops the others and is the one thrown, when all have ended. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  stop: AbortController,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
}
