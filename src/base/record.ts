// Records whose keys come from outside: `constructor` is the name of a pod, `__proto__` that of a variable.

/**
 * A record of just these entries, without a prototype: a key that is not there is undefined, whatever its name, and
 * every key can be set. Later entries win.
 */
export function recordOf<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) record[key] = value;
  return record;
}
