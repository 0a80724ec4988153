// Kubernetes' $(VAR) in env values, command and args (API reference, Container v1: "Variable references $(VAR_NAME)").

export interface Expansion {
  readonly text: string;
  /** Names that were referred to and resolved, in order. */
  readonly used: readonly string[];
}

/**
 * Expands `$(NAME)` by `lookup`. `$$` is one `$` (so `$$(NAME)` stays a literal `$(NAME)`), a reference that does not
 * resolve and one that is not closed stay as they are. What comes in by expansion is not expanded again.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): Expansion {
  const used: string[] = [];
  const result = text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => {
    if (match === "$$") return "$";
    const value = lookup(name ?? "");
    if (value === undefined) return match;
    used.push(name ?? "");
    return value;
  });
  return { text: result, used };
}

/** The names that `$(NAME)` refers to in a text, also those that do not resolve. */
export function referredNames(text: string): string[] {
  return [...text.matchAll(/\$\$|\$\(([^)]*)\)/g)].flatMap(([, name]) => name ?? []);
}
