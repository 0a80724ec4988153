// podgen image login: name and password from options, standard input or the terminal; asked of the registry, then kept.
import { resolve } from "node:path";
import type { Credentials } from "../../../base/registry-login.js";
import type { LoginOptions } from "../../../ports/logins.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const logins = await context.host.logins();
  const registry = await logins.registry(args.text("registry"));
  const options = { ...authFileOf(args, context), tlsVerify: args.flag("tls-verify") };
  if (args.flag("get-login")) {
    const who = await logins.who(registry, options);
    if (who === undefined) throw new UserError(`nobody is logged in to ${registry}`);
    context.out.write(`${who.username}\n`);
    return EXIT.done;
  }
  const given = await credentialsOf(args, context);
  const known = given === undefined ? await logins.who(registry, options) : undefined;
  if (known !== undefined && known.identityToken === undefined) {
    const valid = await logins.login(registry, known, options, false).catch((error: unknown) => void explain(error, context));
    if (valid !== undefined) {
      context.out.write(`already logged in to ${registry} as ${known.username}\n`);
      return EXIT.done;
    }
  }
  const credentials = given ?? (await askFor(registry, args.text("username") ?? known?.username, context));
  const { place, verified } = await logins.login(registry, credentials, options);
  if (!verified) context.err.write(`podgen: note: ${registry} lets anybody in: whether the password is right it did not say\n`);
  if (args.flag("verbose")) context.err.write(`kept in ${place}\n`);
  context.out.write(`logged in to ${registry}\n`);
  return EXIT.done;
}

/** Paths of the command line are relative to where it was typed. */
export function authFileOf(args: Args, context: Context): Pick<LoginOptions, "authFile"> {
  const file = args.text("authfile");
  return file === undefined ? {} : { authFile: resolve(context.cwd, file) };
}

/** A stored login that does not do any more: said, and asked for anew. */
function explain(error: unknown, context: Context): void {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "image-unauthorized") throw error;
  context.err.write(`the stored login does no more: ${error.message}\n`);
}

/** Undefined where the options do not say both. Throws UserError for options that do not go together. */
async function credentialsOf(args: Args, context: Context): Promise<Credentials | undefined> {
  const [username, password, stdin] = [args.text("username"), args.text("password"), args.flag("password-stdin")];
  if (!stdin && password === undefined) return undefined;
  if (username === undefined) throw new UserError("say whose password it is: --username NAME", EXIT.usage);
  if (stdin && password !== undefined) throw new UserError("--password and --password-stdin exclude each other", EXIT.usage);
  if (password !== undefined) {
    context.err.write(
      "podgen: warning: a password on the command line can be seen by others: --password-stdin takes it from a file or pipe\n",
    );
    return checked(username, password);
  }
  return checked(username, (await context.stdin.text()).replace(/\r?\n$/, ""));
}

async function askFor(registry: string, before: string | undefined, { ask }: Context): Promise<Credentials> {
  if (ask === undefined)
    throw new UserError("there is no terminal to ask for a password in", EXIT.usage, "--username NAME --password-stdin reads it");
  const username = (before ?? (await ask(`user name for ${registry}: `, false)))?.trim();
  const password = username ? await ask(`password of ${username}: `, true) : undefined;
  if (!username || password === undefined) throw new UserError("no login was given");
  return checked(username, password);
}

function checked(username: string, password: string): Credentials {
  if (username === "" || username.includes(":")) throw new UserError("a user name is not empty and has no colon", EXIT.usage);
  if (password === "") throw new UserError("the password is empty", EXIT.usage);
  return { username, password };
}
