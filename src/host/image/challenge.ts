// WWW-Authenticate: what a registry wants to be shown (RFC 9110 section 11, the distribution project's token specification).

export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The challenges of a header, several of which Node joins with commas. What is not a challenge is skipped. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /[!#$%&'*+.^`|~\w-]+/y;
  let at = 0;
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const text = pattern.exec(header)?.[0] ?? "";
    at += text.length;
    return text;
  };
  while (at < header.length) {
    skip(/[\s,]+/y);
    const word = skip(token);
    if (word === "") {
      // Nothing we know starts here (a token68, say): go on behind the next comma.
      skip(/[^,]*,?/y);
      continue;
    }
    if (skip(/\s*=\s*/y) === "") {
      found.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    const quoted = skip(/"(?:[^"\\]|\\.)*"/y);
    const value = quoted === "" ? skip(token) : quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    const last = found.at(-1);
    if (last !== undefined) last.parameters[word.toLowerCase()] = value;
  }
  return found;
}
