// podgen hold: stops pods, and keeps them stopped through applies, the watcher and reboots.
import type { Manifest } from "../../base/installed.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { heldPods, holdPod } from "../holds.js";
import { manifestOf, parseTarget, podsOf } from "../pods.js";
import { LOCK_DEADLINE_MS, refuseRoot } from "./apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const [manager, files] = [await context.host.manager(), await context.host.files()];
  const { paths } = context.host;
  await manager.lock(LOCK_DEADLINE_MS);
  const manifest = await manifestOf(context);
  const pods = wholePods(args.list("pods"), manifest);
  refuseRequired(pods, await heldPods(paths, files), manifest);
  const deadline = (args.number("timeout") ?? 60) * 1000;
  // The mark first: from here on nobody starts them.
  for (const pod of pods) await holdPod(paths, files, pod, Date.now());
  await manager.disable(pods.flatMap((pod) => manifest.pods[pod]?.enabled ?? []));
  await manager.reload();
  let code: number = EXIT.done;
  await Promise.all(
    pods.map(async (pod) => {
      const result = await manager.stop(`pod-${pod}.service`, deadline);
      // A container that ignores SIGTERM ends a normal stop as failed/timeout (UNITS.md 11): no failure of the stop.
      for (const unit of manifest.pods[pod]?.units ?? []) await manager.resetFailed(unit);
      if (result === "done") return context.out.write(`pod/${pod} held\n`);
      code = EXIT.broken;
      context.err.write(
        `podgen: error: pod/${pod} is held, but the job that stops it ended as "${result}"\n  next: podgen status ${pod}\n`,
      );
    }),
  );
  return code;
}

/** The pods that are meant. Throws UserError for containers, and for what a Job makes. */
export function wholePods(words: readonly string[], manifest: Manifest): string[] {
  const targets = words.flatMap((word) => podsOf(manifest, parseTarget(word)));
  for (const { pod, container } of targets) {
    const kind = manifest.pods[pod]?.owner?.kind;
    if (container !== undefined)
      throw new UserError(`${pod}/${container}: pods are held as a whole`, EXIT.usage, `podgen stop ${pod}/${container}`);
    if (kind === "Job" || kind === "CronJob")
      throw new UserError(`pod ${pod} is a ${kind}'s`, EXIT.failed, "suspend: true in its spec holds it");
  }
  return [...new Set(targets.map((t) => t.pod))];
}

/** A pod that requires a held one would start it again. */
function refuseRequired(pods: readonly string[], held: ReadonlySet<string>, manifest: Manifest): void {
  for (const { name, after = [] } of Object.values(manifest.pods)) {
    const needed = after.find((edge) => edge.requires && pods.includes(edge.pod));
    if (needed === undefined || pods.includes(name) || held.has(name)) continue;
    throw new UserError(
      `pod "${name}" requires pod "${needed.pod}", and would start it again`,
      EXIT.failed,
      `podgen hold ${needed.pod} ${name}`,
    );
  }
}
