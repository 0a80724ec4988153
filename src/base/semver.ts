// Versions and what is asked of them: semver.org 2.0 with the constraints of github.com/Masterminds/semver, which skopeo's files use. Pure.

/** Numbers that were not written are 0; `pre`: the identifiers after the hyphen. */
export interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

const VERSION = /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;
const PART =
  /^(=|==|!=|<>|>=|=>|<=|=<|>|<|~>|~|\^)?\s*v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/** `1.2.3`, `v1.2`, `3-rc.1`; undefined for what is no version. */
export function parseVersion(text: string): Version | undefined {
  const found = VERSION.exec(text);
  if (found === null) return undefined;
  const [, major = "0", minor = "0", patch = "0", pre] = found;
  return { numbers: [Number(major), Number(minor), Number(patch)], pre: pre?.split(".") ?? [] };
}

/** Below, equal or above 0, as semver.org orders them (11). */
export function compareVersions(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] - b.numbers[i];
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const order = comparePart(x, y);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(x: string, y: string): number {
  const [p, q] = [/^\d+$/.test(x), /^\d+$/.test(y)];
  if (p && q) return Number(x) - Number(y);
  if (p !== q) return p ? -1 : 1;
  return x < y ? -1 : x > y ? 1 : 0;
}

type Accepts = (version: Version) => boolean;

/**
 * `>= 1.2, < 3`, `~1.2`, `^1`, `1.2 - 1.4`, `2.x || 3.x`; undefined for what is no constraint. A version before its release (`1.2-rc1`)
 * is only taken by a constraint that names one.
 */
export function parseConstraint(text: string): Accepts | undefined {
  const sets: Accepts[][] = [];
  for (const alternative of text.split("||")) {
    const spelt = alternative.trim().replace(/(\S+)\s+-\s+(\S+)/g, ">=$1 <=$2");
    // An operator may stand apart from its version.
    const words = spelt
      .replace(/([=!<>~^]+)\s+/g, "$1")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
    const parts = words.map(parsePart);
    if (parts.length === 0 || parts.some((p) => p === undefined)) return undefined;
    sets.push(parts as Accepts[]);
  }
  return (version) => sets.some((parts) => parts.every((accepts) => accepts(version)));
}

function parsePart(word: string): Accepts | undefined {
  const found = PART.exec(word);
  if (found === null) return undefined;
  const [, operator = "", ...rest] = found;
  const written = rest.slice(0, 3).map((n) => (n === undefined || /^[xX*]$/.test(n) ? undefined : Number(n)));
  // Behind a wildcard nothing counts.
  const depth = written.indexOf(undefined) < 0 ? 3 : written.indexOf(undefined);
  const numbers = [0, 1, 2].map((i) => (i < depth ? (written[i] ?? 0) : 0)) as [number, number, number];
  const pre = rest[3]?.split(".") ?? [];
  const low: Version = { numbers, pre };
  const inside = within(low, depth === 3 ? undefined : depth);
  const accepts = acceptsBy(operator, low, depth, inside);
  return (version) => (version.pre.length === 0 || pre.length > 0) && accepts(version);
}

/** From `low` up to the next version of that many numbers; exactly `low` without. */
function within(low: Version, depth: number | undefined): Accepts {
  if (depth === undefined) return (v) => compareVersions(v, low) === 0;
  if (depth === 0) return () => true;
  const next = low.numbers.map((n, i) => (i < depth - 1 ? n : i === depth - 1 ? n + 1 : 0)) as [number, number, number];
  return (v) => compareVersions(v, low) >= 0 && compareVersions(v, { numbers: next, pre: [] }) < 0;
}

function acceptsBy(operator: string, low: Version, depth: number, inside: Accepts): Accepts {
  switch (operator) {
    case "!=":
    case "<>":
      return (v) => !inside(v);
    case ">=":
    case "=>":
      return (v) => compareVersions(v, low) >= 0;
    case "<":
      return (v) => compareVersions(v, low) < 0;
    // Of a part of a version all that begins with it is meant: 1.2.5 is not above 1.2.
    case ">":
      return (v) => compareVersions(v, low) > 0 && !inside(v);
    case "<=":
    case "=<":
      return (v) => compareVersions(v, low) < 0 || inside(v);
    case "~":
    case "~>":
      return within(low, Math.min(depth, 2));
    case "^": {
      const first = low.numbers.findIndex((n) => n !== 0);
      return within(low, first < 0 || first >= depth ? depth : first + 1);
    }
    default:
      return inside;
  }
}
