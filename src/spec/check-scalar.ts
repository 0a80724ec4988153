// Scalars against their descriptors: types, bounds, allowed values, and hints for what YAML reads differently than meant.
import { suggest } from "../base/suggest.js";
import type { Node, ScalarNode } from "./node.js";
import type { Path } from "./path.js";
import { quote } from "./quote.js";
import type { Report } from "./report.js";
import type { Field, ScalarType } from "./schema.js";

const EXPECTED: Readonly<Record<ScalarType, string>> = {
  string: "text",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
  quantity: "a quantity",
  integerOrString: "an integer or text",
};
/** Looks octal, is decimal: the API server silently takes 08 for 8. */
const FALSE_OCTAL = /^[-+]?0[0-9_]/;

/** Reports wrong-type or bad-value, or nothing. */
export function checkScalar(field: Field, type: ScalarType, node: Node, path: Path, report: Report): void {
  if (node.kind !== "scalar" || !fits(type, node)) {
    report.error(
      "wrong-type",
      node.place,
      path,
      `expected ${EXPECTED[type]}, got ${report.describe(node)}`,
      typeHint(type, node, report) ?? field.hint,
    );
    return;
  }
  if (typeof node.value === "number" && FALSE_OCTAL.test(node.text)) {
    report.value(node, path, {
      problem: "starts with 0 but is no octal number",
      hint: field.hint ?? `write ${Number(node.text.replaceAll("_", ""))}, or octal digits (0 to 7) only`,
    });
    return;
  }
  if (type === "integer") checkBounds(field, node, path, report);
  if (field.values !== undefined && !field.values.includes(node.text)) {
    const near = suggest(node.text, field.values);
    const meant = near === undefined ? "" : `, did you mean ${quote(near.word)}?`;
    const all = field.values.filter((v) => v !== "").join(", ");
    report.value(node, path, { problem: `is not one of ${all}${meant}`, ...(field.hint === undefined ? {} : { hint: field.hint }) });
  }
  // An integer in octal or hexadecimal is checked as the number it is.
  const problem = field.check?.(typeof node.value === "bigint" ? node.value.toString() : node.text);
  if (problem !== undefined) report.value(node, path, problem);
}

/** True when the value has the type, or one that JSON would take for it (1e3 is an integer there). */
function fits(type: ScalarType, node: ScalarNode): boolean {
  const { value } = node;
  switch (type) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
    case "number":
      return typeof value === "bigint" || typeof value === "number";
    case "quantity":
    case "integerOrString":
      return typeof value === "string" || typeof value === "bigint" || typeof value === "number";
  }
}

function checkBounds(field: Field, node: ScalarNode, path: Path, report: Report): void {
  const value = BigInt(node.value as bigint | number);
  // No field of podgen's needs more than a double holds exactly.
  const min = field.min ?? Number.MIN_SAFE_INTEGER;
  const max = field.max ?? Number.MAX_SAFE_INTEGER;
  if (value >= BigInt(min) && value <= BigInt(max)) return;
  const range = field.max === undefined && value < min ? `must be ${min} or more` : `must be from ${min} to ${max}`;
  report.value(node, path, { problem: range, ...(field.hint === undefined ? {} : { hint: field.hint }) });
}

/** Most type errors are a matter of quotes. */
function typeHint(type: ScalarType, node: Node, report: Report): string | undefined {
  if (node.kind !== "scalar" || report.secret) return type === "string" && node.kind === "scalar" ? "put the value in quotes" : undefined;
  const { value, text, plain } = node;
  if (type === "string" && plain) {
    const why = typeof value === "boolean" && !/^(true|false)$/i.test(text) ? `YAML reads ${text} as ${value}; ` : "";
    return `${why}put it in quotes: ${quote(text)}`;
  }
  if (typeof value === "string" && type === "boolean") return /^(true|false)$/i.test(text) ? "remove the quotes" : undefined;
  if (typeof value === "string" && type === "integer" && !plain) return /^-?\d+$/.test(text) ? "remove the quotes" : undefined;
  return undefined;
}
