// podgen logs: the journal of a pod's containers, each line with its container's name where there are several.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { onePod, parseTarget, pickContainer, wholePod } from "../pods.js";

export async function run(args: Args, context: Context): Promise<number> {
  const target = parseTarget(args.text("pod") ?? "");
  const pod = await onePod(context, wholePod(target));
  const containers = target.container === undefined ? pod.containers : [pickContainer(pod, target.container)];
  const names = new Map(containers.map((c) => [c.unit, c.name]));
  const prefix = target.container === undefined && containers.length > 1;
  const lines = args.number("tail");
  const since = args.text("since");
  const journal = await context.host.journal();
  const query = {
    units: [...names.keys()],
    follow: args.flag("follow"),
    ...(lines === undefined ? {} : { lines }),
    ...(since === undefined ? {} : { since }),
  };
  for await (const line of journal.read(query, context.signal)) {
    const name = names.get(line.unit) ?? line.unit;
    if (args.text("output") === "json") {
      const entry = { time: line.time, pod: pod.name, container: name, priority: line.priority, message: line.message };
      context.out.write(`${JSON.stringify(entry)}\n`);
      continue;
    }
    const time = args.flag("timestamps") ? `${new Date(line.time / 1000).toISOString()} ` : "";
    context.out.write(`${time}${prefix ? `[${name}] ` : ""}${line.message}\n`);
  }
  return EXIT.done;
}
