// podgen plan: what apply would change, as diff shows it; with -o FILE kept, so that apply FILE does just that.
import { isAbsolute, join, normalize } from "node:path/posix";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { STDIN } from "../input.js";
import { describePlan, type PlanInput, planText } from "../saved-plan.js";
import { readKey } from "../secret-key.js";
import { showDiff } from "./diff.js";

export async function run(args: Args, context: Context): Promise<number> {
  const output = args.text("output") ?? "text";
  if (output === "text" || output === "json") return showDiff(args, output, context);
  if (!/[./]/.test(output)) throw new UserError(`-o ${output}: text, json, or a file, with a dot or a slash in its name`, EXIT.usage);
  const input = inputOf(args, context);
  return showDiff(args, "text", context, async (texts, proposal, readers) => {
    const key = await readKey(readers.facts.paths, readers.files);
    const bytes = new TextEncoder().encode(planText(describePlan(input, texts, proposal, key)));
    // The one thing that is written, by the name that was given.
    await (await context.host.files()).write(absolute(output, context), bytes, 0o600);
    context.err.write(`the plan is in ${output}: podgen apply ${output}\n`);
  });
}

/** What leads to the same texts again. */
function inputOf(args: Args, context: Context): PlanInput {
  const files = [...args.list("files"), ...args.list("filename")];
  if (files.some((name) => name === STDIN || /^\/dev\/(stdin$|fd\/)/.test(name)))
    throw new UserError("a plan of standard input cannot be applied: it is not read twice", EXIT.usage, "name a file or a folder");
  const paths = (name: string): string[] => args.list(name).map((file) => absolute(file, context));
  return {
    files: files.map((name) => (/^https?:\/\//.test(name) ? name : absolute(name, context))),
    kustomize: paths("kustomize"),
    recursive: args.flag("recursive"),
    envFiles: paths("env-file"),
    values: paths("values"),
    set: args.list("set").map((word) => word.split("=", 1)[0] ?? ""),
    prune: args.flag("prune"),
  };
}

function absolute(path: string, context: Context): string {
  return normalize(isAbsolute(path) ? path : join(context.cwd, path)).replace(/(.)\/$/, "$1");
}
