// podgen exec: podrt joins the container; we move it into the container's cgroup and pass its exit code on.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { parseTarget, pickContainer, statuses } from "../pods.js";

export async function run(args: Args, context: Context): Promise<number> {
  const target = parseTarget(args.text("pod") ?? "");
  const command = [...args.list("command"), ...args.rest];
  if (command.length === 0) throw new UserError("say what to run: podgen exec POD/CONTAINER -- COMMAND", EXIT.usage);
  const [pod] = await statuses(context, [target.pod]);
  if (pod === undefined) return EXIT.failed;
  const container = pickContainer(pod, target.container ?? args.text("container"));
  if (container.phase !== "Running")
    throw new UserError(`${pod.name}/${container.name} does not run (${container.phase})`, EXIT.failed, `podgen status ${pod.name}`);
  const tty = args.flag("tty");
  if (tty && !(context.stdin.isTTY && context.out.isTTY)) throw new UserError("-t needs a terminal", EXIT.usage, "leave -t out");
  const workdir = args.text("workdir");
  const user = args.text("user");
  const words = [
    "exec",
    ...(tty ? ["--tty"] : []),
    ...(args.flag("interactive") ? ["--interactive"] : []),
    ...args.list("env").flatMap((e) => ["--env", e]),
    ...(workdir === undefined ? [] : ["--cwd", workdir]),
    ...(user === undefined ? [] : ["--user", user]),
  ];
  const tail = [`pods/${pod.name}/${container.name}`, "--", ...command];
  const spawned = await context.spawnRuntime([...words, ...tail], { attach: true, stdin: args.flag("interactive") });
  try {
    await (await context.host.manager()).attach(container.unit, [spawned.pid]);
  } finally {
    spawned.release();
  }
  return spawned.exit;
}
