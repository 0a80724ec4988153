// A saved plan that is to be applied: its texts are read again, and it is carried out only as long as nothing has moved.
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { readSpecs, type SpecText } from "./input.js";
import { describePlan, isPlanText, movedSince, parsePlan, replay } from "./saved-plan.js";
import { readKey } from "./secret-key.js";
import type { Proposal, Readers } from "./session.js";

export interface Planned {
  readonly texts: readonly SpecText[];
  readonly prune: boolean;
  /** Throws UserError where the proposal is not what the plan says. `locked`: it was made under the writer's lock. */
  check(proposal: Proposal, locked: boolean): Promise<void>;
}

/** What the plan says itself. */
const SAID = ["prune", "adopt", "recursive", "env-file", "values", "kustomize"];

/** `named`: what the command line names, one of which is a plan. Throws UserError where it is damaged or not alone. */
export async function openPlan(named: readonly SpecText[], args: Args, readers: Readers, context: Context): Promise<Planned> {
  const [only, ...others] = named;
  if (only === undefined || others.length > 0 || !isPlanText(only.text)) throw new UserError("a plan is applied alone", EXIT.usage);
  const besides = SAID.find((name) => args.flag(name) || args.list(name).length > 0);
  if (besides !== undefined) throw new UserError(`--${besides}: ${only.file} is a plan, which says that itself`, EXIT.usage);
  const plan = parsePlan(only.text);
  if (plan === undefined) throw new UserError(`${only.file}: a damaged plan`, EXIT.failed, "make it again: podgen plan FILE -o PLAN");
  const again = replay(plan.input, args.list("set"));
  const texts = await readSpecs(again, context);
  return {
    texts,
    prune: plan.input.prune,
    check: async (proposal, locked) => {
      const key = await readKey(readers.facts.paths, readers.files);
      const moved = movedSince(plan, describePlan(plan.input, texts, proposal, key), locked);
      if (moved.length === 0) return;
      const lines = moved.slice(0, 5).map((line) => `\n  ${line}`);
      throw new UserError(
        `${only.file} does not hold any more; nothing was changed:${lines.join("")}`,
        EXIT.failed,
        "make the plan again and look at it",
      );
    },
  };
}
