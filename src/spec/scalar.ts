// What unquoted text means: the rules of kubectl and the API server, which read YAML with go-yaml version 2.
import type { ScalarValue } from "./node.js";

/*
 * sigs.k8s.io/yaml (kubectl and the API server decode with it) turns YAML into JSON through its fork of go-yaml v2, into
 * untyped values (its goyaml.v2/resolve.go and yaml.go). Hence, and unlike YAML 1.2:
 *   - y, yes, on, n, no, off are booleans, in three spellings each. Where a field wants text, the reader of the error is
 *     told to put quotes; nothing is turned back into text silently.
 *   - integers are read as Go reads literals: 0x1A, 0b11, 0o644 and also 0644 are not decimal; `_` may separate digits.
 *   - 08 is no octal number and falls through to the float rule (the API server then takes it for 8; the integer fields
 *     of podgen refuse it, see walk.ts). 1e3 is a float.
 *   - 1:30 and timestamps stay text (v2 decodes timestamps back to text when the target has no type).
 *   - an integer of any size keeps its digits; a float out of range stays text.
 */
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((w) => [w, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((w) => [w, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((w) => [w, null] as const),
]);
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const SPECIAL = /^(?:([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** More digits than this are text: no field takes them, and converting them takes quadratic time. */
const MAX_DIGITS = 400;

/** The value of a plain scalar. */
export function resolvePlain(text: string): ScalarValue {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  // Only digits, signs and a dot can start a number.
  if (!((first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46) || text.length > MAX_DIGITS) return text;
  const special = SPECIAL.exec(text);
  if (special !== null) return special[1] === undefined ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  const digits = text.replaceAll("_", "");
  const integer = INTEGER.exec(digits);
  if (integer !== null) {
    const body = (integer[2] ?? "").toLowerCase();
    const value = BigInt(/^0[0-7]/.test(body) ? `0o${body}` : body);
    return integer[1] === "-" ? -value : value;
  }
  if (!FLOAT.test(digits)) return text;
  const value = Number(digits);
  return Number.isFinite(value) ? value : text;
}

export type Tagged = { readonly value: ScalarValue } | { readonly problem: string; readonly hint?: string };

/** The value of a scalar with an explicit tag (`!!str 12`). Only the tags that have a meaning in JSON are known. */
export function resolveTagged(tag: string, text: string): Tagged {
  switch (tag) {
    case "!":
    case "!!str":
    case "!!timestamp":
      return { value: text };
    case "!!binary":
      return { problem: "the tag !!binary is not supported", hint: "write the base64 text itself, under data or binaryData" };
    case "!!null":
    case "!!bool":
    case "!!int":
    case "!!float": {
      const value = resolvePlain(text);
      const type = value === null ? "!!null" : typeof value === "boolean" ? "!!bool" : typeof value === "bigint" ? "!!int" : "!!float";
      if (typeof value !== "string" && type === tag) return { value };
      if (typeof value === "bigint" && tag === "!!float") return { value: Number(value) };
      return { problem: `the value does not fit its tag ${tag}` };
    }
    default:
      return { problem: `the tag ${tag} is not supported`, hint: "remove it; podgen reads !!str, !!int, !!float, !!bool and !!null" };
  }
}
