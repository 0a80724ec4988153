// CronJobs that are named on the command line, and what is known of them: the manifest, their timers, and what podrt has written.
import { type CronRecord, parseCronState } from "../base/cron.js";
import type { Manifest } from "../base/installed.js";
import { type JobState, jobKey, parseJobState } from "../base/job.js";
import type { FileReader } from "../ports/files.js";
import { type CronFacts, cronsOf } from "../status/cron.js";
import type { CronStatus } from "../status/types.js";
import type { Context } from "./context.js";
import { manifestOf } from "./pods.js";

/** All CronJobs, or those named. */
export async function cronStatuses(context: Context, names: readonly string[] = []): Promise<CronStatus[]> {
  const manifest = await manifestOf(context);
  const crons = Object.values(manifest.pods).flatMap(({ cron }) => cron ?? []);
  if (crons.length === 0) return [];
  const [manager, files] = [await context.host.manager(), await context.host.files()];
  const timers = await manager.list(["podgen-cron-*.timer"]);
  const known = new Map<string, CronFacts>();
  for (const cron of crons) known.set(cron.name, await factsOf(cron, manifest, files));
  const all = cronsOf(manifest, new Map(timers.map((t) => [t.name, t])), known);
  return names.length === 0 ? all : all.filter((cron) => names.includes(cron.name));
}

async function factsOf(cron: CronRecord, manifest: Manifest, files: FileReader): Promise<CronFacts> {
  const state = parseCronState(await files.read(cron.state));
  const job = async (path: string): Promise<JobState | undefined> => parseJobState(await files.read(path));
  const slots = new Map<string, JobState>();
  for (const name of cron.jobs) {
    const path = manifest.pods[jobKey(name)]?.job?.state;
    const found = path === undefined ? undefined : await job(path);
    if (found !== undefined) slots.set(name, found);
  }
  const history: [string, JobState][] = [];
  for (const name of await files.list(cron.history)) {
    const of = /^\d+-(.+)\.json$/.exec(name)?.[1];
    const found = of === undefined ? undefined : await job(`${cron.history}/${name}`);
    if (of !== undefined && found !== undefined) history.push([of, found]);
  }
  return { ...(state === undefined ? {} : { state }), slots, history };
}
