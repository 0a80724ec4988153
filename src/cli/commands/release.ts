// podgen release: held pods are started, and start at boot again.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { heldPods, releasePod } from "../holds.js";
import { manifestOf } from "../pods.js";
import { LOCK_DEADLINE_MS, refuseRoot } from "./apply.js";
import { wholePods } from "./hold.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const [manager, files, runtime] = [await context.host.manager(), await context.host.files(), await context.host.runtime()];
  const { paths } = context.host;
  await manager.lock(LOCK_DEADLINE_MS);
  const manifest = await manifestOf(context);
  const held = await heldPods(paths, files);
  const named = wholePods(args.list("pods"), manifest);
  const pods = named.filter((pod) => held.has(pod));
  for (const pod of named) if (!held.has(pod)) context.err.write(`pod/${pod} is not held\n`);
  if (pods.length === 0) return EXIT.done;
  // What starts it at boot first: killed in between, it is still held, and not half of it.
  await manager.enable(pods.flatMap((pod) => manifest.pods[pod]?.enabled ?? []));
  await manager.reload();
  for (const pod of pods) await releasePod(paths, files, pod);
  const deadline = (args.number("timeout") ?? 60) * 1000;
  let code: number = EXIT.done;
  await Promise.all(
    pods.map(async (pod) => {
      for (const name of Object.keys(manifest.pods[pod]?.images ?? {})) await runtime.clearBackoff(pod, name);
      const result = await manager.start(`pod-${pod}.service`, deadline);
      if (result === "done") return context.out.write(`pod/${pod} released\n`);
      code = EXIT.broken;
      const why = result === "deadline" ? `not ready after ${deadline / 1000} s; systemd goes on with it` : `the job ended as "${result}"`;
      context.err.write(`podgen: error: pod/${pod} is released, and does not come up: ${why}\n  next: podgen why ${pod}\n`);
    }),
  );
  return code;
}
