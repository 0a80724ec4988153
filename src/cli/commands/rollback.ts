// podgen rollback: an old generation of a pod or workload again, through the same transaction as apply.
import type { ApplyReport } from "../../apply/types.js";
import type { ImageFacts } from "../../base/facts.js";
import type { Manifest, ManifestPod } from "../../base/installed.js";
import { recordOf } from "../../base/record.js";
import type { IdRange } from "../../base/userns.js";
import { type Generation, renderedOf } from "../../diff/generation.js";
import { withHolds } from "../../diff/hold.js";
import { checkForeign, makeChangeSet } from "../../diff/index.js";
import { manifestPod, sameEntry } from "../../diff/manifest.js";
import { stillRequired } from "../../diff/required.js";
import { withRollouts } from "../../diff/rollout.js";
import { scaledDown } from "../../diff/surge.js";
import type { ChangeSet } from "../../diff/types.js";
import { planServices } from "../../plan/services.js";
import { renderService } from "../../render/service.js";
import type { Rendered } from "../../render/types.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { Keeper } from "../history/keep.js";
import { chooseGeneration, lineageOf, specsOf } from "../history/lineage.js";
import { readGenerations } from "../history/store.js";
import { heldPods } from "../holds.js";
import { readInstalled } from "../installed.js";
import { manifestOf, parseTarget } from "../pods.js";
import { rejectVersions } from "../rejected.js";
import { openReaders, type Readers } from "../session.js";
import { changesJson, reportJson, showChanges, showFailures, showNotes, showReport } from "../show.js";
import { applyOptions, LOCK_DEADLINE_MS, pull, realClock, refuseRoot, settle, shiftLayers, unchanged } from "./apply.js";

interface Return {
  readonly rendered: Rendered;
  readonly changes: ChangeSet;
  readonly manifest: Manifest;
}

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const [manifest, files] = [await manifestOf(context), await context.host.files()];
  const name = lineageOf(manifest, parseTarget(args.text("pod") ?? ""));
  const generation = chooseGeneration(await readGenerations(context.host.paths, files, name), args.number("to"), manifest, name);
  const readers = await openReaders(context);
  const asJson = args.text("output") === "json";
  if (args.flag("dry-run")) {
    const { changes } = await propose(generation, readers, context);
    context.err.write(showNotes(changes));
    context.out.write(asJson ? changesJson(changes) : showChanges(changes));
    return EXIT.done;
  }
  const report = await carryOut(generation, readers, args, context);
  context.out.write(asJson ? reportJson(report) : showReport(report));
  context.err.write(showFailures(report));
  if (report.exitCode === 0) context.err.write(`${name} is what it was in generation ${generation.number}\n`);
  return report.exitCode;
}

async function carryOut(generation: Generation, readers: Readers, args: Args, context: Context): Promise<ApplyReport> {
  const [{ applyChanges }, manager, images, runtime, journal, files] = await Promise.all([
    import("../../apply/transaction.js"),
    context.host.manager(),
    context.host.images(),
    context.host.runtime(),
    context.host.journal(),
    context.host.files(),
  ]);
  await runtime.install();
  const release = await images.hold();
  try {
    // They are pinned, but a person may have removed them by force.
    await pull({ images: imagesByDigest(generation) }, context);
    await manager.lock(LOCK_DEADLINE_MS);
    const { rendered, changes, manifest } = await propose(generation, readers, context);
    context.err.write(showNotes(changes));
    if (changes.empty) return unchanged(changes);
    await shiftLayers({ rendered, changes }, images);
    const keeper = new Keeper(readers.facts.paths, files);
    const timeout = args.number("timeout");
    let report: ApplyReport | undefined;
    try {
      await keeper.keep(
        { rendered, images: generation.content.images, changes, manifest, specs: generation.specs, back: generation.number },
        Date.now(),
      );
      const ports = { manager, images, runtime, journal, files, clock: realClock };
      report = await applyChanges(
        ports,
        changes,
        applyOptions(readers, manifest, { wait: true, ...(timeout === undefined ? {} : { timeout }) }),
      );
    } finally {
      await settle(keeper, report, readers, context, { wanted: specsOf(generation), changes });
    }
    // The watcher would bring it at once: its file still says so.
    if (report.exitCode === 0) await rejectVersions(readers.facts.paths, files, left(rendered, manifest));
    return report;
  } finally {
    await release();
  }
}

/** What was installed of the pods that return, and is not what they are now. */
function left(rendered: Rendered, manifest: Manifest): ManifestPod[] {
  return rendered.pods.flatMap((pod) => {
    const before = pod.service === undefined ? manifest.pods[pod.name] : undefined;
    return before === undefined || sameEntry(before, manifestPod(pod)) ? [] : [before];
  });
}

/** The change from what is installed to the generation. Throws UserError where it cannot be made again beside what else is installed. */
async function propose(generation: Generation, readers: Readers, context: Context): Promise<Return> {
  const manifest = await manifestOf(context);
  const { facts } = readers;
  const own = withoutOthersObjects(renderedOf(generation), manifest);
  const left = new Set(own.pods.map((p) => p.name));
  const gone = scaledDown(own, { manifest });
  const staying = Object.values(manifest.pods).filter((p) => !left.has(p.name) && !gone.includes(p.name));
  refuseClash(generation, own, staying, gone);
  const after = recordOf([...staying.map((p) => [p.name, p] as const), ...own.pods.map((p) => [p.name, manifestPod(p)] as const)]);
  const { services } = planServices({ services: [], pods: [], installed: after, facts, sourceOf: (s) => s.at.file });
  const rendered = { ...own, pods: [...own.pods, ...services.map((service) => renderService(service, facts))] };
  const installed = await readInstalled(rendered, manifest, facts, readers);
  const [foreign] = checkForeign(rendered, installed);
  if (foreign !== undefined) throw new UserError(foreign.message, EXIT.failed);
  const held = await heldPods(facts.paths, readers.files);
  const changes = withHolds(makeChangeSet(rendered, installed, {}), held, installed);
  return { rendered, manifest, changes: withRollouts(changes, rendered, installed) };
}

/** A ConfigMap that pods of others refer to stays as it is: for them it is no other one. The pods that return have their files of it. */
function withoutOthersObjects(rendered: Rendered, manifest: Manifest): Rendered {
  const own = new Set(rendered.pods.map((p) => p.name));
  const others = new Set(Object.values(manifest.pods).flatMap((p) => (own.has(p.name) ? [] : p.objects)));
  const objects = Object.entries(rendered.objects).filter(([key]) => !others.has(key));
  const paths = new Set(objects.map(([, { path }]) => path));
  return { ...rendered, objects: recordOf(objects), shared: rendered.shared.filter((f) => paths.has(f.path)) };
}

/** What an apply finds in the model: ids that are another pod's by now, pods that others require. Ports are the transaction's matter. */
function refuseClash({ number }: Generation, own: Rendered, staying: readonly Manifest["pods"][string][], gone: readonly string[]): void {
  for (const pod of own.pods)
    for (const other of staying)
      if (pod.userns?.mode === "auto" && other.userns !== undefined && overlap(pod.userns.uids, other.userns.uids))
        throw new UserError(
          `pod "${pod.name}" had ids in generation ${number} that pod "${other.name}" has now`,
          EXIT.failed,
          "apply its old spec: it gets new ones",
        );
  const [required] = stillRequired(gone, [...own.pods, ...staying]);
  if (required !== undefined) throw new UserError(`pod "${required.pod}" would go, and pod "${required.by}" requires it`, EXIT.failed);
  for (const pod of own.pods)
    for (const { pod: needed, requires } of pod.after ?? [])
      if (requires && ![...own.pods, ...staying].some((p) => p.name === needed))
        throw new UserError(
          `pod "${pod.name}" required pod "${needed}" in generation ${number}, which is not there any more`,
          EXIT.failed,
          "apply it first",
        );
}

function overlap(a: readonly IdRange[], b: readonly IdRange[]): boolean {
  return a.some(([, from, count]) => b.some(([, other, size]) => from < other + size && other < from + count));
}

function imagesByDigest({ content }: Generation): ReadonlyMap<string, ImageFacts> {
  return new Map(content.images.map((image) => [image.digest, image]));
}
