// podgen unshare: a command in the user namespace that the pods live in.
import type { Args } from "../args.js";
import type { Context } from "../context.js";

export async function run(args: Args, context: Context): Promise<number> {
  const given = [...args.list("command"), ...args.rest];
  const command = given.length > 0 ? given : [context.env["SHELL"] ?? "/bin/sh"];
  const spawned = await context.spawnRuntime(["unshare", "--", ...command], { attach: false, stdin: true });
  return spawned.exit;
}
