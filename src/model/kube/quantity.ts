// Kubernetes quantities (`500m`, `1.5Gi`, `2e3`), exact.
import type { Problem } from "../../spec/report.js";

/** A non-negative or negative rational number; `denominator` is positive. */
export interface Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Suffix -> power of ten. k8s.io/apimachinery resource.Quantity: n u m, nothing, k M G T P E. */
const DECIMAL: ReadonlyMap<string, number> = new Map(Object.entries({ n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }));
/** Suffix -> power of two. */
const BINARY: ReadonlyMap<string, number> = new Map(Object.entries({ Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }));
const FORM = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:([eE][-+]?[0-9]{1,2})|([a-zA-Z]*))$/;
/** Longer is no quantity anybody writes, and would only cost time. */
const MAX_LENGTH = 64;

/** The number, or undefined where the text is no quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text.length > MAX_LENGTH ? null : FORM.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent, suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const two = BINARY.get(suffix);
  const ten = exponent !== undefined ? Number(exponent.slice(1)) : two !== undefined ? 0 : DECIMAL.get(suffix);
  if (ten === undefined) return undefined;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n) * 2n ** BigInt(two ?? 0);
  const power = ten - fraction.length;
  return power >= 0
    ? { numerator: digits * 10n ** BigInt(power), denominator: 1n }
    : { numerator: digits, denominator: 10n ** BigInt(-power) };
}

/** The quantity times `scale`, rounded up as Kubernetes rounds; undefined when a double cannot hold it exactly. */
export function scaledUp(quantity: Quantity, scale: bigint): number | undefined {
  const value = quantity.numerator * scale;
  const up = value > 0n ? (value + quantity.denominator - 1n) / quantity.denominator : value / quantity.denominator;
  return up <= BigInt(Number.MAX_SAFE_INTEGER) && up >= 0n ? Number(up) : undefined;
}

/** `512MB` and the like: what was meant. */
function unitHint(text: string, example: string): string {
  const match = /^([0-9.]+) *([kKmMgGtTpPeE])i?[bB]$/.exec(text);
  if (match === null) return `write it like ${example}`;
  const letter = match[2] ?? "";
  return `write ${match[1]}${letter.toUpperCase()}i (powers of 1024) or ${match[1]}${letter === "k" || letter === "K" ? "k" : letter.toUpperCase()} (powers of 1000)`;
}

function check(text: string, scale: bigint, example: string): Problem | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return { problem: "is not a quantity", hint: unitHint(text, example) };
  if (quantity.numerator < 0n) return { problem: "is negative" };
  return scaledUp(quantity, scale) === undefined ? { problem: "is too large" } : undefined;
}

/** An amount of CPU: cores, or thousandths with `m`. */
export function cpuQuantity(text: string): Problem | undefined {
  return check(text, 1000n, "500m or 1.5");
}

/** An amount of memory in bytes. Less than a byte was surely meant otherwise (`400m` for `400Mi`). */
export function memoryQuantity(text: string): Problem | undefined {
  const problem = check(text, 1n, "512Mi or 1Gi");
  const quantity = parseQuantity(text);
  if (problem !== undefined || quantity === undefined || !/[mun]$/.test(text) || quantity.numerator % quantity.denominator === 0n)
    return problem;
  const number = text.slice(0, -1);
  return { problem: "is a fraction of a byte", hint: `write ${number}Mi (powers of 1024) or ${number}M (powers of 1000)` };
}

/** Millicores of a valid quantity; undefined for none, for an invalid one, and for 0, which is no limit. */
export function cpuMillis(text: string | undefined): number | undefined {
  return amount(text, 1000n);
}

/** Bytes of a valid quantity; undefined for none, for an invalid one, and for 0, which is no limit. */
export function memoryBytes(text: string | undefined): number | undefined {
  return amount(text, 1n);
}

function amount(text: string | undefined, scale: bigint): number | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  const value = quantity === undefined ? undefined : scaledUp(quantity, scale);
  return value === 0 ? undefined : value;
}
