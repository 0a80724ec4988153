// podgen events: what has happened to pods and their containers, from the journal, and what happens from now on.
import { ownerName } from "../../base/owner.js";
import { eventOf, type PodEvent } from "../../status/events.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { manifestOf, parseTarget } from "../pods.js";
import { printable } from "../print.js";
import type { Target } from "../targets.js";

/** How many are shown when nobody says. */
const LAST = 100;

export async function run(args: Args, context: Context): Promise<number> {
  const meant = await chosen(args.list("pods").map(parseTarget), context);
  const watch = args.flag("watch");
  const since = args.text("since");
  const tail = args.number("tail") ?? (watch || since !== undefined ? undefined : LAST);
  const query = { follow: watch, past: !watch || since !== undefined, ...(since === undefined ? {} : { since }) };
  const show = (event: PodEvent): void => context.out.write(args.text("output") === "json" ? line(event) : text(event));
  const last: PodEvent[] = [];
  for await (const remark of (await context.host.journal()).remarks(query, context.signal)) {
    const event = eventOf(remark);
    if (event === undefined || !meant(event)) continue;
    if (watch || tail === undefined) {
      show(event);
      continue;
    }
    last.push(event);
    if (last.length > tail) last.shift();
  }
  last.forEach(show);
  return EXIT.done;
}

/** Pods that are gone have events, too: a name need not be installed. A workload's pods are those that it has, or had. */
async function chosen(targets: readonly Target[], context: Context): Promise<(event: PodEvent) => boolean> {
  if (targets.length === 0) return () => true;
  const { pods } = await manifestOf(context);
  return ({ pod, container, unit }) =>
    targets.some((target) => {
      if (target.container !== undefined && target.container !== container) return false;
      if (pod === undefined) return target.kind !== undefined && unit.startsWith(`podgen-${target.kind.toLowerCase()}-${target.pod}.`);
      const owner = pods[pod]?.owner;
      if (owner !== undefined && target.kind !== undefined) return ownerName(owner) === `${target.kind.toLowerCase()}/${target.pod}`;
      return pod === target.pod || (owner === undefined ? isNumbered(pod, target.pod) : owner.name === target.pod);
    });
}

function isNumbered(pod: string, name: string): boolean {
  return pod.startsWith(`${name}-`) && /^\d+$/.test(pod.slice(name.length + 1));
}

function line({ time, ...event }: PodEvent): string {
  return `${JSON.stringify({ apiVersion: "podgen.io/v1", kind: "Event", time: stamp(time), ...event })}\n`;
}

function text({ time, type, pod, container, unit, message }: PodEvent): string {
  const who = pod === undefined ? unit : container === undefined ? `pod/${pod}` : `pod/${pod}/${container}`;
  return `${stamp(time)} ${type.padEnd(10)} ${who} ${printable(message)}\n`;
}

function stamp(time: number): string {
  return new Date(time / 1000).toISOString();
}
