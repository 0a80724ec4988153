// podFailurePolicy and successPolicy of a Job: read, and held to Kubernetes' own rules.
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import type { FailureRule, SuccessRule } from "../../types.js";
import { integersOf } from "../integers.js";
import { parseIndexes } from "./indexes.js";

/** Kubernetes' own limits. */
const MAX_RULES = 20;
const MAX_CODES = 255;

/** What the rules are judged by. */
export interface Policed {
  readonly spec: Reader;
  readonly report: Report;
  readonly indexed: boolean;
  /** Absent: as many as succeed. */
  readonly completions?: number;
  /** Names of the template's containers, init containers' too. */
  readonly containers: readonly string[];
  readonly neverRestarts: boolean;
}

/** The rules in their order, without those that ask for conditions that no pod has here. */
export function readFailurePolicy({ spec, report, containers, neverRestarts }: Policed): FailureRule[] {
  const policy = spec.object("podFailurePolicy");
  if (policy === undefined) return [];
  const error = errorsOf(report);
  if (!neverRestarts) error(spec, "podFailurePolicy", "goes with restartPolicy Never only", "write restartPolicy: Never in the template");
  if (spec.text("podReplacementPolicy") === "TerminatingOrFailed")
    error(spec, "podReplacementPolicy", "must be Failed beside podFailurePolicy", "write Failed, or leave it out");
  const rules = policy.objects("rules");
  if (rules.length > MAX_RULES) error(policy, "rules", `has ${rules.length} rules; ${MAX_RULES} are possible`);
  return rules.flatMap((rule): FailureRule[] => {
    const action = rule.text("action") as FailureRule["action"];
    if (action === "FailIndex" && spec.integer("backoffLimitPerIndex") === undefined)
      error(rule, "action", "FailIndex needs a backoffLimitPerIndex", "write backoffLimitPerIndex, or FailJob");
    const codes = rule.object("onExitCodes");
    const conditions = rule.get("onPodConditions");
    if ((codes === undefined) === (conditions === undefined))
      error(rule, "onExitCodes", "exactly one of onExitCodes and onPodConditions must be there", "make a rule of each");
    return codes === undefined ? readConditions(rule, action, report) : [readCodes(codes, action, containers, report)];
  });
}

/** One that fits is enough, and there is one that pods have here: somebody else than the Job's controller has stopped them. */
function readConditions(rule: Reader, action: FailureRule["action"], report: Report): FailureRule[] {
  const patterns = rule.objects("onPodConditions");
  if (patterns.length > MAX_RULES)
    errorsOf(report)(rule, "onPodConditions", `has ${patterns.length} conditions; ${MAX_RULES} are possible`);
  return patterns.flatMap((pattern): FailureRule[] => {
    const [type, status] = [pattern.text("type"), pattern.text("status") ?? "True"];
    if (type === "DisruptionTarget") return [{ action, conditions: [{ type, status }] }];
    const problem = `has no effect: pods have the condition DisruptionTarget here, and no other`;
    report.warning("no-effect", pattern.place("type"), pattern.pathOf("type"), problem);
    return [];
  });
}

function readCodes(codes: Reader, action: FailureRule["action"], containers: readonly string[], report: Report): FailureRule {
  const error = errorsOf(report);
  const operator = codes.text("operator") === "NotIn" ? "NotIn" : "In";
  const values = integersOf(codes.get("values"));
  if (values.length === 0 || values.length > MAX_CODES) error(codes, "values", `must have 1 to ${MAX_CODES} exit codes`);
  if (values.some((code, i) => i > 0 && code <= (values[i - 1] ?? 0))) error(codes, "values", "must be in rising order, without doubles");
  if (operator === "In" && values.includes(0)) error(codes, "values", "may not have 0 in it: that is success", "take it out");
  const container = codes.text("containerName");
  if (container !== undefined && !containers.includes(container))
    error(codes, "containerName", "is none of the template's containers", `there are ${containers.join(", ")}`);
  return { action, ...(container === undefined ? {} : { container }), operator, values };
}

/** Any of them that is fulfilled is enough. */
export function readSuccessPolicy({ spec, report, indexed, completions = 0 }: Policed): SuccessRule[] {
  const policy = spec.object("successPolicy");
  if (policy === undefined) return [];
  const error = errorsOf(report);
  if (!indexed) error(spec, "successPolicy", NEEDS_INDEXED, INDEXED_HINT);
  const rules = policy.objects("rules");
  if (rules.length > MAX_RULES) error(policy, "rules", `has ${rules.length} rules; ${MAX_RULES} are possible`);
  return rules.map((rule): SuccessRule => {
    const [text, count] = [rule.text("succeededIndexes"), rule.integer("succeededCount")];
    const parsed = text === undefined ? undefined : parseIndexes(text);
    const ranges = parsed === undefined || "problem" in parsed ? undefined : parsed;
    const listed = ranges?.reduce((sum, [from, to]) => sum + to - from + 1, 0) ?? completions;
    if (text === undefined && count === undefined)
      report.error("missing-field", rule.node.place, rule.path, "one of succeededIndexes and succeededCount at least must be there");
    if (indexed && (ranges?.at(-1)?.[1] ?? -1) >= completions)
      error(rule, "succeededIndexes", `there are ${completions} completions: the last index is ${completions - 1}`);
    if (indexed && count !== undefined && count > listed)
      error(rule, "succeededCount", `is more than there are indexes that count (${listed})`);
    return { ...(text === undefined ? {} : { succeededIndexes: text }), ...(count === undefined ? {} : { succeededCount: count }) };
  });
}

export const NEEDS_INDEXED = "goes with completionMode Indexed only";
export const INDEXED_HINT = "write completionMode: Indexed";

/** Findings at a field: `bad-value`. */
export function errorsOf(report: Report): (of: Reader, field: string, problem: string, hint?: string) => void {
  return (of, field, problem, hint) => report.error("bad-value", of.place(field), of.pathOf(field), problem, hint);
}
