// Label selectors (meta/v1 LabelSelector): read, checked in themselves, and held against labels.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** All of it must hold; nothing in it selects everything. */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

/** Reads `matchLabels` and `matchExpressions`; reports expressions that say nothing. */
export function readSelector(reader: Reader, report: Report): Selector {
  const labels = matching(reader.textMap("matchLabels")).requirements;
  const expressions = reader.objects("matchExpressions").map((expression) => {
    const operator = expression.text("operator") ?? "";
    const values = expression.texts("values") ?? [];
    const listed = operator === "In" || operator === "NotIn";
    const problem = listed && values.length === 0 ? `${operator} needs some` : !listed && values.length > 0 ? `${operator} takes none` : "";
    if (problem !== "") report.error("bad-value", expression.place("values"), expression.pathOf("values"), problem);
    return { key: expression.text("key") ?? "", operator, values };
  });
  return { requirements: [...labels, ...expressions] };
}

/** Each of these labels is asked for. */
export function matching(labels: Readonly<Record<string, string>>): Selector {
  return { requirements: Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] })) };
}

/** Whether the labels are among those that are meant. Without a key, NotIn and DoesNotExist hold (labels.Requirement). */
export function selects({ requirements }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === "Exists") return value !== undefined;
    if (operator === "DoesNotExist") return value === undefined;
    const listed = value !== undefined && values.includes(value);
    return operator === "In" ? listed : !listed;
  });
}
