// IP addresses as text to numbers, for comparing them.

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** RFC 4291 2.2 and dotted decimal without leading zeros; undefined for anything else. Zones (`%eth0`) are not taken. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(":")) {
    const value = parseV6(text);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = parseV4(text);
  return value === undefined ? undefined : { family: 4, value };
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9][0-9]{0,2})$/.test(p) && Number(p) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  // A dotted tail stands for the last two groups.
  const dotted = /^(.*:)([0-9.]+)$/.exec(text);
  let hex = text;
  if (dotted?.[2]?.includes(".")) {
    const low = parseV4(dotted[2]);
    if (low === undefined) return undefined;
    hex = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const halves = hex.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const written = groups.flat();
  if (!written.every((g) => /^[0-9a-fA-F]{1,4}$/.test(g))) return undefined;
  const missing = 8 - written.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...(groups[0] ?? []), ...Array.from({ length: missing }, () => "0"), ...(groups[1] ?? [])];
  return all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/**
 * Whether listening on both would clash. Empty is every address of both families; 0.0.0.0 and :: are every address of
 * theirs. Texts that are no addresses are compared as text.
 */
export function addressesOverlap(a: string, b: string): boolean {
  if (a === "" || b === "" || a === b) return true;
  const left = parseAddress(a);
  const right = parseAddress(b);
  if (left === undefined || right === undefined || left.family !== right.family) return false;
  return left.value === right.value || left.value === 0n || right.value === 0n;
}
