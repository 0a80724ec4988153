// podgen ps: one row per container.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { printListing } from "../listing.js";
import { statuses } from "../pods.js";
import { age } from "../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const pods = await statuses(context, args.list("pods"));
  const now = Date.now();
  const rows = pods.flatMap((pod) => pod.containers.map((c) => ({ pod, c })));
  await printListing(args, context, {
    kind: "ContainerList",
    items: rows.map(({ pod, c }) => ({ pod: pod.name, ...c })),
    names: rows.map(({ pod, c }) => `${pod.name}/${c.name}`),
    rows: (wide) => [
      ["POD", "CONTAINER", "STATUS", "RESTARTS", "AGE", "PID", "IMAGE", ...(wide ? ["UNIT", "DIGEST"] : [])],
      ...rows.map(({ pod, c }) => [
        pod.name,
        c.init ? `${c.name} (init)` : c.sidecar ? `${c.name} (sidecar)` : c.name,
        c.phase,
        String(c.restarts),
        c.startedAt === undefined ? "-" : age(now - c.startedAt),
        c.pid === 0 ? "-" : String(c.pid),
        c.image,
        ...(wide ? [c.unit, c.digest.slice(0, 19)] : []),
      ]),
    ],
  });
  return EXIT.done;
}
