// podgen attach: podrt passes our standard input on to the container's; what that writes comes from the journal.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { onePod, parseTarget, pickContainer, wholePod } from "../pods.js";

/** Between two looks whether the container is still there, milliseconds. */
const LOOK_MS = 500;

export async function run(args: Args, context: Context): Promise<number> {
  const target = parseTarget(args.text("pod") ?? "");
  const option = args.text("container");
  if (option !== undefined && target.container !== undefined && option !== target.container)
    throw new UserError(`${target.pod}/${target.container} and -c ${option} name two containers`, EXIT.usage, "leave one of them out");
  const [silent, deaf] = [args.flag("no-output"), args.flag("no-stdin")];
  if (silent && deaf) throw new UserError("--no-stdin and --no-output leave nothing to do", EXIT.usage, "leave one of them out");
  const pod = await onePod(context, wholePod(target));
  const container = pickContainer(pod, target.container ?? option);
  const name = `${pod.name}/${container.name}`;
  // A container with a startup or a postStart of its own may be asked for input before it is up.
  if (container.pid === 0) throw new UserError(`${name} does not run (${container.phase})`, EXIT.failed, `podgen status ${pod.name}`);
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, ...(context.signal === undefined ? [] : [context.signal])]);
  const output = silent ? undefined : follow(context, container.unit, signal);
  if (!deaf) {
    const code = await (await context.spawnRuntime(["attach", `pods/${name}`], { attach: false, stdin: true })).exit;
    if (code !== 0 || silent) done.abort();
    if (code !== 0) return signalled(code) ? EXIT.done : EXIT.failed;
  }
  if (output === undefined) return EXIT.done;
  // Its end of our input is not its own: what it still has to say is to be seen.
  const ended = whenGone(context, pod.name, container.name, container.pid, signal).then(() => done.abort());
  await Promise.all([output, ended]);
  return EXIT.done;
}

/** Ctrl-C went to podrt, too: to leave is no failure. */
function signalled(code: number): boolean {
  return code > 128;
}

async function follow(context: Context, unit: string, signal: AbortSignal): Promise<void> {
  const journal = await context.host.journal();
  const since = `@${Math.floor(Date.now() / 1000)}`;
  for await (const line of journal.read({ units: [unit], follow: true, since }, signal)) context.out.write(`${line.message}\n`);
}

/** Its lines come a moment after its end. */
async function whenGone(context: Context, pod: string, container: string, pid: number, signal: AbortSignal): Promise<void> {
  const runtime = await context.host.runtime();
  for (;;) {
    await pause(signal);
    const state = await runtime.state(pod, container);
    if (signal.aborted) return;
    if (state === undefined || !state.alive || state.pid !== pid) return pause(signal);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOOK_MS);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
