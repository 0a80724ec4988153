// podgen watch: a folder of specs, applied whenever one is written or renamed into place.
import { isAbsolute, join } from "node:path/posix";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { checkYes } from "../handful.js";
import { readFolder, readOverlay, type SpecText, type Unread } from "../input.js";
import { readVariables } from "../variables.js";
import { Looker, type Seen } from "../watch/looker.js";
import { Reconciler, type WatchWishes } from "../watch/reconcile.js";
import { referencedBy, type Watched } from "../watch/referenced.js";
import { Reporter } from "../watch/report.js";
import { WatchedSet } from "../watch/set.js";
import { install, uninstall } from "../watch/unit.js";
import { refuseRoot } from "./apply.js";

/** With --once: who writes several files has come to an end when nothing has changed for so long. */
const SETTLED_MS = 500;

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const overlay = args.text("kustomize");
  const named = args.text("directory");
  if (overlay !== undefined && named !== undefined)
    throw new UserError(`${named} and -k ${overlay}: watch takes one folder`, EXIT.usage, "run a watcher for each");
  const folder = absolute(overlay ?? named ?? join(context.host.paths.settings, "pods"), context.cwd);
  checkYes(args);
  const timeout = args.number("timeout");
  const wishes = { prune: args.flag("prune"), many: args.flag("yes"), ...(timeout === undefined ? {} : { timeout }) };
  const kustomize = overlay !== undefined;
  if (args.flag("path") && !args.flag("install")) throw new UserError("--path goes with --install", EXIT.usage);
  if (args.flag("install"))
    return install(folder, { ...wishes, kustomize, path: args.flag("path"), variables: filesOf(args, context) }, context);
  if (args.flag("uninstall")) return uninstall(folder, context);
  if ((await (await context.host.files()).kind(folder)) !== "folder") throw new UserError(`${folder}: no such folder`);
  await watchFolder(folder, kustomize ? readKustomized : readPlain, wishes, args, context);
  return EXIT.done;
}

/** What a look reads: all specs that can be read, the rest to `unread`; what it depends on is followed before. */
type Read = (folder: string, follow: (more: Watched) => Promise<void>, unread: Unread[], context: Context) => Promise<SpecText[]>;

const readPlain: Read = async (folder, follow, unread, context) => {
  await follow({ folders: [], files: [] });
  return await readFolder(folder, folder, true, context, (entry) => unread.push(entry));
};

/** One text, or none where kustomize fails: it is reported, and what runs stays. */
const readKustomized: Read = async (folder, follow, unread, context) => {
  await follow(await referencedBy(folder, await context.host.files()));
  try {
    return [await readOverlay(folder, context)];
  } catch (error) {
    unread.push({ file: folder, source: folder, error });
    return [];
  }
};

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

/** Ends when the context's signal aborts; with --once when nothing is left to be done. A folder that goes away is waited for. */
async function watchFolder(folder: string, read: Read, wishes: WatchWishes, args: Args, context: Context): Promise<void> {
  const reporter = new Reporter(context, args.text("output") === "json");
  const reconciler = new Reconciler(folder, wishes, reporter, context);
  const failed = (error: unknown): void => reporter.failed(error);
  const done = new AbortController();
  let settled: NodeJS.Timeout | undefined;
  const idle = (): void => {
    if (args.flag("once")) settled = setTimeout(() => done.abort(), SETTLED_MS);
  };
  const event = (): void => {
    clearTimeout(settled);
    looker.touch();
  };
  const looker = new Looker(look, failed, idle);
  const watched = new WatchedSet(folder, await context.host.files(), { event, failed });
  const ofVariables = ["env-file", "values"].flatMap((name) => args.list(name).map((file) => absolute(file, context.cwd)));
  const follow = ({ folders, files }: Watched): Promise<void> => watched.follow({ folders, files: [...files, ...ofVariables] });
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
    const found = await read(folder, follow, unread, context);
    const variables = await readVariables(args, context);
    const texts = variables === undefined ? found : found.map((text) => ({ ...text, variables }));
    // A clock that somebody sets makes nothing gone.
    const seen = await reconciler.run(texts, unread, performance.now());
    reporter.succeeded();
    return seen;
  }

  await looker.now();
  const end = AbortSignal.any([context.signal, done.signal]);
  await new Promise<void>((resolve) => {
    if (end.aborted) resolve();
    end.addEventListener("abort", () => resolve(), { once: true });
  });
  looker.stop();
  await watched.close();
}
