// podgen exec: podrt joins the container; we move it into the container's cgroup and pass its exit code on.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { onePod, parseTarget, pickContainer, wholePod } from "../pods.js";

/** The command's own exit code; 125 for what podgen or podrt fail at, so that it is not taken for the command's. */
export async function run(args: Args, context: Context): Promise<number> {
  try {
    return await execute(args, context);
  } catch (error) {
    const usage = error instanceof UserError && error.exitCode === EXIT.usage;
    if (error instanceof Error && !usage) Object.assign(error, { exitCode: EXIT.execFailed });
    throw error;
  }
}

async function execute(args: Args, context: Context): Promise<number> {
  const target = parseTarget(args.text("pod") ?? "");
  const option = args.text("container");
  if (option !== undefined && target.container !== undefined && option !== target.container)
    throw new UserError(`${target.pod}/${target.container} and -c ${option} name two containers`, EXIT.usage, "leave one of them out");
  const command = [...args.list("command"), ...args.rest];
  if (command.length === 0) throw new UserError("say what to run: podgen exec POD/CONTAINER -- COMMAND", EXIT.usage);
  const pod = await onePod(context, wholePod(target));
  const container = pickContainer(pod, target.container ?? option);
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
    await (await context.host.manager()).attach(container.unit, [spawned.pid], container.pid);
  } finally {
    spawned.release();
  }
  return spawned.exit;
}
