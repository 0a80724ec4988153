// start, stop and restart of pods and containers: jobs of systemd, awaited, then the truth.
import { cronKey } from "../base/cron.js";
import type { Manifest } from "../base/installed.js";
import { isDriven, jobKey } from "../base/job.js";
import { cronUnit, jobUnit } from "../plan/names.js";
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { heldPods } from "./holds.js";
import { patienceOf } from "./patience.js";
import { jobName, manifestOf, type PodTarget, parseTarget, podsOf } from "./pods.js";
import { cronName } from "./targets.js";

/** As of apply: what probes allow comes on top, where nobody says how long to wait. */
const DEFAULT_SECONDS = 60;

export type Verb = "start" | "stop" | "restart";
const DONE: Readonly<Record<Verb, string>> = { start: "started", stop: "stopped", restart: "restarted" };

export async function act(verb: Verb, args: Args, context: Context): Promise<number> {
  const manifest = await manifestOf(context);
  const words = args.list("pods");
  const jobs = words.flatMap((word) => jobName(manifest, word) ?? []);
  const crons = words.flatMap((word) => cronName(manifest, word) ?? []);
  const plain = words.filter((word) => jobName(manifest, word) === undefined && cronName(manifest, word) === undefined);
  const targets = plain.flatMap((word) => podsOf(manifest, parseTarget(word)));
  const now = verb === "start" && args.flag("now");
  if (now && crons.length < words.length) throw new UserError("--now is for CronJobs: cronjob/NAME", EXIT.usage);
  refuseDriven(targets, manifest);
  for (const t of targets) {
    const unit = unitOf(t);
    if (!manifest.pods[t.pod]?.units.includes(unit)) throw new UserError(`pod ${t.pod} has no container "${t.container ?? ""}"`);
  }
  const held = verb === "stop" ? new Set<string>() : await heldPods(context.host.paths, await context.host.files());
  const kept = targets.find((t) => held.has(t.pod));
  if (kept !== undefined) throw new UserError(`pod ${kept.pod} is held`, EXIT.failed, `podgen release ${kept.pod} starts it`);
  const manager = await context.host.manager();
  const runtime = await context.host.runtime();
  const asked = args.number("timeout");
  let failed = false;
  const tell = (shown: string, result: string, deadline: number, next: string): void => {
    if (result === "done") return void context.out.write(`${shown} ${DONE[verb]}\n`);
    failed = true;
    const why = result === "deadline" ? `not done after ${deadline / 1000} s; systemd goes on with it` : `the job ended as "${result}"`;
    context.err.write(`podgen: error: ${shown}: ${why}\n  next: ${next}\n`);
  };
  const wait = (asked ?? DEFAULT_SECONDS) * 1000;
  for (const cron of crons) {
    const key = cronKey(cron);
    const unit = `${cronUnit(cron)}${now ? "__now.service" : ".timer"}`;
    if (now) await manager.resetFailed(unit);
    const result = await manager[verb](unit, wait);
    if (now && result === "failed") {
      failed = true;
      context.err.write(`podgen: error: ${key}: ${await whyNot(context, unit)}\n  next: podgen status ${key}\n`);
    } else tell(now ? `${key}: a run` : key, result, wait, `podgen status ${key}`);
    // Its runs after it: it would begin others.
    if (verb === "stop") for (const job of manifest.pods[key]?.cron?.jobs ?? []) await manager.stop(jobUnit(job), wait);
  }
  for (const job of jobs) tell(jobKey(job), await manager[verb](jobUnit(job), wait), wait, `podgen status ${jobKey(job)}`);
  await Promise.all(
    targets.map(async (target) => {
      const unit = unitOf(target);
      const names = target.container !== undefined ? [target.container] : Object.keys(manifest.pods[target.pod]?.images ?? {});
      // A person asked: the next start is at once, whatever the back-off says.
      if (verb !== "stop") for (const name of names) await runtime.clearBackoff(target.pod, name);
      const more = asked !== undefined || verb === "stop" ? 0 : await patienceOf(context, manifest, target.pod);
      const deadline = ((asked ?? DEFAULT_SECONDS) + more) * 1000;
      const result = await manager[verb](unit, deadline);
      // A container that ignores SIGTERM ends a normal stop as failed/timeout (UNITS.md 11): no failure of the stop.
      if (verb === "stop") for (const u of unitsOf(target, manifest.pods[target.pod]?.units ?? [])) await manager.resetFailed(u);
      const shown = `pod/${target.pod}${target.container === undefined ? "" : `/${target.container}`}`;
      tell(shown, result, deadline, `podgen status ${target.pod}; podgen logs ${target.pod}`);
    }),
  );
  return failed ? EXIT.broken : EXIT.done;
}

/** What podrt has said of the run that a person wanted. */
async function whyNot(context: Context, unit: string): Promise<string> {
  let said = "it could not be begun";
  for await (const line of (await context.host.journal()).read({ units: [unit], lines: 5 }))
    if (line.message.startsWith("podrt: cron: ")) said = line.message.replace(/^podrt: cron: (now: )?/, "");
  return said;
}

/** A pod of a Job is its controller's to start and to stop. */
function refuseDriven(targets: readonly PodTarget[], manifest: Manifest): void {
  for (const { pod } of targets) {
    const owner = manifest.pods[pod]?.owner;
    if (owner !== undefined && isDriven(owner))
      throw new UserError(`pod ${pod} is ${jobKey(owner.name)}'s, which starts and stops it`, EXIT.failed, `name ${jobKey(owner.name)}`);
  }
}

function unitOf(target: PodTarget): string {
  return target.container === undefined ? `pod-${target.pod}.service` : `pod-${target.pod}_${target.container}.service`;
}

function unitsOf(target: PodTarget, all: readonly string[]): readonly string[] {
  return target.container === undefined ? all : [unitOf(target)];
}
