// Members that a JSON object has twice: JSON.parse takes the last in silence, which no file about trust may allow. Pure.

/** The first member that an object has twice; undefined: there is none. `text` must be valid JSON. */
export function repeatedKey(text: string): string | undefined {
  /** The members of the objects around; undefined for a list. */
  const around: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;
  let last: string | undefined;
  for (const [found] of text.matchAll(token)) {
    if (found === "{") around.push(new Set());
    else if (found === "[") around.push(undefined);
    else if (found === "}" || found === "]") around.pop();
    else if (found !== ":") last = found;
    else if (last !== undefined) {
      // Escapes: "a" and "\u0061" are the same member.
      const key = JSON.parse(last) as string;
      const keys = around.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
