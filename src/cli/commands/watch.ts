// podgen watch: a folder of specs, applied whenever one is written or renamed into place.
import { isAbsolute, join } from "node:path/posix";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { readFolder } from "../input.js";
import { Reconciler } from "../watch/reconcile.js";
import { install, uninstall } from "../watch/unit.js";
import { refuseRoot } from "./apply.js";

/** Events of one save (editors write, rename, chmod) come within this; milliseconds. */
const COALESCE_MS = 50;
/** A file that is away for so long is gone, and not being replaced. */
const AWAY_MS = 5_000;

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const folder = absolute(args.text("directory") ?? join(context.host.paths.settings, "pods"), context.cwd);
  const wishes = { prune: args.flag("prune"), timeout: args.number("timeout") ?? 60 };
  if (args.flag("install")) return install(folder, wishes, context);
  if (args.flag("uninstall")) return uninstall(folder, context);
  if ((await (await context.host.files()).kind(folder)) !== "folder") throw new UserError(`${folder}: no such folder`);
  await watchFolder(folder, wishes, args.text("output") === "json", context);
  return EXIT.done;
}

function absolute(path: string, cwd: string): string {
  return (isAbsolute(path) ? path : join(cwd, path)).replace(/(.)\/$/, "$1");
}

/** Ends when the context's signal aborts. One reconciliation at a time; events that come meanwhile make one more. */
async function watchFolder(folder: string, wishes: { prune: boolean; timeout: number }, asJson: boolean, context: Context): Promise<void> {
  const { watch } = await import("chokidar");
  const reconciler = new Reconciler(folder, wishes, asJson, context);
  let timer: NodeJS.Timeout | undefined;
  let away: NodeJS.Timeout | undefined;
  let busy = false;
  let again = false;

  const reconcile = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        const texts = await readFolder(folder, folder, true, context);
        const missing = await reconciler.run(texts, Date.now(), AWAY_MS);
        clearTimeout(away);
        // What is away now is looked at again when it has been so for long enough to be gone.
        if (missing) away = setTimeout(schedule, AWAY_MS);
      } while (again);
    } catch (error) {
      reconciler.failed(error);
    } finally {
      busy = false;
    }
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void reconcile(), COALESCE_MS);
  };

  const watcher = watch(folder, { ignoreInitial: true, ignored: (path) => path !== folder && /(^|\/)\.[^/]*$|~$/.test(path) });
  watcher.on("all", schedule).on("error", (error) => reconciler.failed(error));
  await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  context.err.write(`watching ${folder}\n`);
  await reconcile();
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearTimeout(timer);
  clearTimeout(away);
  await watcher.close();
}
