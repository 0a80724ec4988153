// podgen restart: see lifecycle.ts.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { act } from "../lifecycle.js";

export async function run(args: Args, context: Context): Promise<number> {
  return act("restart", args, context);
}
