// restartPolicyRules: only beside the container's own restartPolicy, as in Kubernetes.
import type { PodView } from "../view.js";

/** Kubernetes' own limits. */
const MAX_RULES = 20;
const MAX_CODES = 255;

export function restartRules({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    const rules = reader.objects("restartPolicyRules");
    if (rules.length === 0) continue;
    const error = (code: string, problem: string, hint: string): void =>
      report.error(code, reader.keyPlace("restartPolicyRules"), reader.pathOf("restartPolicyRules"), problem, hint);
    if (model.restartPolicy === undefined)
      error("missing-field", "the container has no restartPolicy of its own, which says what happens when no rule fits", "write it");
    if (rules.length > MAX_RULES) error("bad-value", `has ${rules.length} rules; ${MAX_RULES} are possible`, "put exit codes together");
    for (const rule of rules) {
      const exit = rule.object("exitCodes");
      const values = exit?.get("values");
      if (exit === undefined || values?.kind !== "seq" || values.items.length <= MAX_CODES) continue;
      report.error("bad-value", exit.place("values"), exit.pathOf("values"), `has more than ${MAX_CODES} exit codes`);
    }
  }
}
