// podgen watch: a folder of specs, applied whenever one is written or renamed into place.
import { isAbsolute, join } from "node:path/posix";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { readFolder, type Unread } from "../input.js";
import { readVariables } from "../variables.js";
import { WatchedFolder } from "../watch/folder.js";
import { Looker, type Seen } from "../watch/looker.js";
import { Reconciler, type WatchWishes } from "../watch/reconcile.js";
import { Reporter } from "../watch/report.js";
import { install, uninstall } from "../watch/unit.js";
import { refuseRoot } from "./apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const folder = absolute(args.text("directory") ?? join(context.host.paths.settings, "pods"), context.cwd);
  const wishes = { prune: args.flag("prune"), timeout: args.number("timeout") ?? 60 };
  if (args.flag("install")) return install(folder, { ...wishes, variables: filesOf(args, context) }, context);
  if (args.flag("uninstall")) return uninstall(folder, context);
  if ((await (await context.host.files()).kind(folder)) !== "folder") throw new UserError(`${folder}: no such folder`);
  await watchFolder(folder, wishes, args, context);
  return EXIT.done;
}

/** The options by which the unit finds its variables. */
function filesOf(args: Args, context: Context): string[] {
  if (args.list("set").length > 0)
    throw new UserError(
      "--install takes no --set: its value would stand in a unit file that others may read",
      EXIT.usage,
      "use --env-file",
    );
  return ["env-file", "values"].flatMap((name) => args.list(name).flatMap((file) => [`--${name}`, absolute(file, context.cwd)]));
}

function absolute(path: string, cwd: string): string {
  return (isAbsolute(path) ? path : join(cwd, path)).replace(/(.)\/$/, "$1");
}

/** Ends when the context's signal aborts. A folder that goes away is waited for. */
async function watchFolder(folder: string, wishes: WatchWishes, args: Args, context: Context): Promise<void> {
  const reporter = new Reporter(context, args.text("output") === "json");
  const reconciler = new Reconciler(folder, wishes, reporter, context);
  const failed = (error: unknown): void => reporter.failed(error);
  const looker = new Looker(look, failed);
  const watched = new WatchedFolder(folder, await context.host.files(), { event: () => looker.touch(), failed });
  let there = true;

  async function look(): Promise<Seen> {
    const armed = await watched.arm();
    if (armed === "away") {
      if (there) reporter.away(folder);
      there = false;
      reconciler.folderAway();
      return { away: false, retry: false };
    }
    there = true;
    if (armed === "set") reporter.watching(folder);
    const unread: Unread[] = [];
    const variables = await readVariables(args, context);
    const found = await readFolder(folder, folder, true, context, (entry) => unread.push(entry));
    const texts = variables === undefined ? found : found.map((text) => ({ ...text, variables }));
    const seen = await reconciler.run(texts, unread, Date.now());
    reporter.succeeded();
    return seen;
  }

  await looker.now();
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  looker.stop();
  await watched.close();
}
