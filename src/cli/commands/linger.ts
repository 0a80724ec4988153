// podgen linger: whether the user's manager, and so the pods, run from boot on with nobody logged in.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { json } from "../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const action = args.text("action") ?? "";
  if (!["enable", "disable", "status"].includes(action)) throw new UserError(`linger ${action}: say enable, disable or status`, EXIT.usage);
  const linger = await context.host.linger();
  if (action !== "status") await linger.set(action === "enable");
  const status = await linger.status();
  if (args.text("output") === "json") context.out.write(json("Linger", { ...status }));
  else context.out.write(`lingering is ${status.enabled ? "on: pods start at boot" : "off: pods start at login"}\n`);
  return action === "status" && !status.enabled ? EXIT.notRunning : EXIT.done;
}
