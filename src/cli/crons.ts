// CronJobs that are named on the command line, and what is known of them: the manifest, their timers, and what podrt has written.
import { type CronRecord, type CronState, cronKey } from "../base/cron.js";
import type { Manifest } from "../base/installed.js";
import type { JobState } from "../base/job.js";
import type { FileReader } from "../ports/files.js";
import { type CronFacts, cronsOf } from "../status/cron.js";
import type { CronStatus } from "../status/types.js";
import type { Context } from "./context.js";
import { UserError } from "./exit.js";
import { manifestOf } from "./pods.js";

/** `nightly` of `cron/nightly`, `cronjob/nightly` or `cj/nightly`; undefined for another name. */
export function cronName(word: string): string | undefined {
  return /^(?:cron|cj|cronjobs?(?:\.batch)?)\/([^/]+)$/.exec(word)?.[1];
}

/** The CronJob of that name; an error that lists what there is where there is none. */
export function cronOf(manifest: Manifest, name: string): CronRecord {
  const found = manifest.pods[cronKey(name)]?.cron;
  if (found !== undefined) return found;
  const names = Object.values(manifest.pods).flatMap(({ cron }) => cron?.name ?? []);
  const hint = names.length === 0 ? "podgen has applied no CronJobs yet" : `CronJobs: ${names.sort().join(", ")}`;
  throw new UserError(`there is no CronJob "${name}"`, 1, hint);
}

/** All CronJobs, or those named. */
export async function cronStatuses(context: Context, names: readonly string[] = []): Promise<CronStatus[]> {
  const manifest = await manifestOf(context);
  for (const name of names) cronOf(manifest, name);
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
  const state = await read<CronState>(files, cron.state, ["last", "ran"]);
  const job = (path: string): Promise<JobState | undefined> =>
    read<JobState>(files, path, ["startedAt", "finishedAt", "succeeded", "failed"]);
  const slots = new Map<string, JobState>();
  for (const name of cron.jobs) {
    const path = manifest.pods[`job/${name}`]?.job?.state;
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

/** What podrt has written, with these members as numbers; undefined where it has not, or somebody has spoilt it. */
async function read<T>(files: FileReader, path: string, numbers: readonly (keyof T & string)[]): Promise<T | undefined> {
  const bytes = await files.read(path);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== "object" || value === null) return undefined;
    return numbers.every((name) => typeof (value as Record<string, unknown>)[name] === "number") ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
