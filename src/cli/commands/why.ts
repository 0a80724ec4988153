// podgen why: the chain of causes of a pod that is not as it should be, with the last lines and the next step; exit 3 when there is one.
import type { ManifestPod, UnitState } from "../../base/installed.js";
import type { PodStatus } from "../../status/types.js";
import { type Cause, causesOf, type WhyFacts } from "../../status/why.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { manifestOf, parseTarget, podsOf, statuses } from "../pods.js";
import { json, printable } from "../print.js";
import { readRejected } from "../rejected.js";

/** How much a container may say here. */
const LAST_LINES = 10;

interface Told extends Cause {
  readonly lines?: readonly string[];
}

export async function run(args: Args, context: Context): Promise<number> {
  const manifest = await manifestOf(context);
  const names = podsOf(manifest, parseTarget(args.text("pod") ?? "")).map((t) => t.pod);
  const all = await statuses(context, []);
  const told = await Promise.all(
    names.map(async (name) => ({ pod: name, causes: await chain(name, all, manifest.pods, context, new Set()) })),
  );
  if (args.text("output") === "json") context.out.write(json("PodCauses", { items: told }));
  else for (const { pod, causes } of told) context.out.write(causes.length === 0 ? `pod ${pod} is as it should be\n` : show(causes));
  return told.every(({ causes }) => causes.length === 0) ? EXIT.done : EXIT.notRunning;
}

/** With those of the pods it waits for; `seen`: they may wait for each other. */
async function chain(
  name: string,
  all: readonly PodStatus[],
  entries: Readonly<Record<string, ManifestPod>>,
  context: Context,
  seen: Set<string>,
): Promise<Told[]> {
  const [pod, entry] = [all.find((p) => p.name === name), entries[name]];
  if (pod === undefined || entry === undefined || seen.has(name)) return [];
  seen.add(name);
  const own = await Promise.all(causesOf(pod, await factsOf(pod, entry, context)).map((cause) => withLines(cause, context)));
  const others = await Promise.all(
    own.flatMap((cause) => (cause.pod === undefined ? [] : [chain(cause.pod, all, entries, context, seen)])),
  );
  return [...own, ...others.flat()];
}

async function factsOf(pod: PodStatus, entry: ManifestPod, context: Context): Promise<WhyFacts> {
  const [manager, runtime, files] = await Promise.all([context.host.manager(), context.host.runtime(), context.host.files()]);
  // Loaded if need be: one that cannot be is known by that alone.
  const units = await Promise.all(entry.units.map(async (name) => [name, await manager.get(name)] as [string, UnitState]));
  const names = Object.keys(entry.images);
  const killed = await Promise.all(
    names.map(async (c) => {
      const [kill, last] = await Promise.all([runtime.probeKill(pod.name, c), runtime.state(pod.name, c)]);
      return [c, kill !== undefined && last?.alive === false && last.pid === kill.pid ? kill : undefined] as const;
    }),
  );
  const missing = await Promise.all(names.map(async (c) => [c, await missingLayer(pod.name, c, context)] as const));
  return {
    entry,
    units: new Map(units),
    failure: await runtime.podFailure(pod.name),
    killed: new Map(killed.flatMap(([c, kill]) => (kill === undefined ? [] : [[c, kill] as const]))),
    missing: new Map(missing.flatMap(([c, what]) => (what === undefined ? [] : [[c, what] as const]))),
    rejected: (await readRejected(context.host.paths, files))[pod.name] !== undefined,
  };
}

/** A layer that the bundle names and that is not there. */
async function missingLayer(pod: string, container: string, context: Context): Promise<string | undefined> {
  const files = await context.host.files();
  const path = `${context.host.paths.data}/pods/${pod}/${container}/config.json`;
  const bytes = await files.read(path);
  if (bytes === undefined) return undefined;
  for (const layer of layersIn(new TextDecoder().decode(bytes)))
    if ((await files.kind(layer)) !== "folder") return `layer ${layer} is gone`;
  return undefined;
}

/** A bundle that is none has no layers: the unit's own failure says so. */
function layersIn(text: string): string[] {
  try {
    const { annotations } = JSON.parse(text) as { annotations?: Record<string, string> };
    const { layers } = JSON.parse(annotations?.["io.podgen.rootfs"] ?? "{}") as { layers?: unknown };
    return Array.isArray(layers) ? layers.map(String) : [];
  } catch {
    return [];
  }
}

async function withLines(cause: Cause, context: Context): Promise<Told> {
  if (cause.unit === undefined) return cause;
  const lines: string[] = [];
  try {
    const journal = await context.host.journal();
    for await (const line of journal.read({ units: [cause.unit], lines: LAST_LINES })) lines.push(line.message);
  } catch (error) {
    lines.push(`(the journal cannot be read: ${error instanceof Error ? error.message : String(error)})`);
  }
  return { ...cause, lines };
}

function show(causes: readonly Told[]): string {
  return causes
    .map(({ what, lines, next }, i) => {
      const head = i === 0 ? `${printable(what)}\n` : `  because ${printable(what)}\n`;
      const said = (lines ?? []).map((line) => `      | ${printable(line.replaceAll("\t", "    "))}\n`).join("");
      return head + said + (next === undefined ? "" : `    next: ${next}\n`);
    })
    .join("");
}
