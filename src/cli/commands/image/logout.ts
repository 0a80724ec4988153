// podgen image logout: what login has kept is forgotten; logins in other files are named, not touched.
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { refuseRoot } from "../apply.js";
import { authFileOf } from "./login.js";

/** Exit 1 when there was no login to forget; with --all there need be none. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const logins = await context.host.logins();
  const options = { ...authFileOf(args, context), tlsVerify: true };
  if (args.flag("all")) {
    if (args.text("registry") !== undefined) throw new UserError("a registry and --all exclude each other", EXIT.usage);
    for (const registry of await logins.logout(undefined, options)) context.out.write(`logged out of ${registry}\n`);
    return EXIT.done;
  }
  const registry = await logins.registry(args.text("registry"));
  const dropped = await logins.logout(registry, options);
  const others = await logins.elsewhere(registry, options);
  const hint = others.length === 0 ? undefined : `there is a login in ${others.join(" and ")}: --authfile FILE drops that one`;
  if (dropped.length === 0) throw new UserError(`nobody was logged in to ${registry}`, EXIT.failed, hint);
  context.out.write(`logged out of ${registry}\n`);
  if (hint !== undefined) context.err.write(`podgen: note: ${hint}\n`);
  return EXIT.done;
}
