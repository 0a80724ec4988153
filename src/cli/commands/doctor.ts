// podgen doctor: every check with what it found and the command that mends it.
import type { Args } from "../args.js";
import { type Context, useColor } from "../context.js";
import { EXIT } from "../exit.js";
import { json } from "../print.js";

const COLOUR = { ok: 32, warn: 33, fail: 31 } as const;

/** Exit 1 when a check fails; warnings alone are 0. */
export async function run(args: Args, context: Context): Promise<number> {
  const checks = await context.host.doctor();
  const failed = checks.some((c) => c.status === "fail");
  if (args.text("output") === "json") {
    context.out.write(json("Doctor", { ok: !failed, checks }));
    return failed ? EXIT.failed : EXIT.done;
  }
  const color = useColor(context.out, context.env);
  for (const check of checks) {
    const word = check.status.padEnd(4);
    context.out.write(`${color ? `\u001b[${COLOUR[check.status]}m${word}\u001b[0m` : word}  ${check.title}: ${check.detail}\n`);
    if (check.fix !== undefined && check.status !== "ok") context.out.write(`      mend: ${check.fix}\n`);
  }
  return failed ? EXIT.failed : EXIT.done;
}
