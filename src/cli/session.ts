// Opens what a planning command needs of the host, readers only, and turns texts into a change set.
import { cronKey } from "../base/cron.js";
import type { Diagnostic, Location } from "../base/diagnostic.js";
import { hasErrors } from "../base/diagnostic.js";
import type { HostFacts } from "../base/facts.js";
import type { Manifest, ManifestPod } from "../base/installed.js";
import { jobKey } from "../base/job.js";
import { serviceKey } from "../base/service.js";
import { requireHeld, withHolds } from "../diff/hold.js";
import { checkForeign, makeChangeSet } from "../diff/index.js";
import { unneededObjects } from "../diff/objects.js";
import { withoutStarts } from "../diff/passive.js";
import { stillRequired } from "../diff/required.js";
import { withRollouts } from "../diff/rollout.js";
import { scaledDown } from "../diff/surge.js";
import type { ChangeSet } from "../diff/types.js";
import { withoutPods } from "../diff/without.js";
import type { Model } from "../model/types.js";
import { type Written, writtenObjects } from "../model/written.js";
import { claimedVolumes } from "../plan/claim-objects.js";
import { claimedNames, claimedPorts } from "../plan/claims.js";
import { type SpecTexts, specTexts } from "../plan/spec-texts.js";
import type { FileReader } from "../ports/files.js";
import type { ImageReader } from "../ports/images.js";
import type { ManagerReader } from "../ports/manager.js";
import type { RuntimeReader } from "../ports/runtime.js";
import type { Context } from "./context.js";
import { heldPods } from "./holds.js";
import type { SpecText } from "./input.js";
import { readInstalled, readManifest } from "./installed.js";
import { type Compiled, compileModel, compilePlan, planModel, type Stage } from "./pipeline.js";
import { readKey } from "./secret-key.js";
import type { Choose } from "./short-names.js";

/** The reading halves of the ports: a command that is given only these cannot change anything. */
export interface Readers {
  readonly facts: HostFacts;
  readonly files: FileReader;
  readonly manager: ManagerReader;
  readonly images: ImageReader;
  readonly runtime: RuntimeReader;
}

export async function openReaders(context: Context): Promise<Readers> {
  const [manager, images, runtime, files] = await Promise.all([
    context.host.manager(),
    context.host.images(),
    context.host.runtime(),
    context.host.files(),
  ]);
  return { facts: await context.host.facts(manager), manager, images, runtime, files };
}

export interface Proposal extends Compiled {
  readonly changes: ChangeSet;
  readonly manifest: Manifest;
  /** What goes because it is in its sources no more; not what a workload has no more. */
  readonly pruned: readonly string[];
  /** Files of our unit names that are not ours, by unit. */
  readonly foreign: ReadonlyMap<string, string>;
  readonly written: readonly Written[];
  /** The same as texts to keep and to show. */
  readonly specs: SpecTexts;
}

export interface ProposeOptions {
  /** Delete the pods that were applied from these sources and are in them no more. */
  readonly prune: boolean;
  /** Foreign units are taken over instead of refused. */
  readonly adopt: boolean;
  /** Nothing that is stopped is started (watch). */
  readonly passive?: boolean;
  /** Asks a person at a terminal for what a short name stands for. */
  readonly choose?: Choose;
  /** Makes the secret store's key where there is none yet: of those who write, under the writer's lock. */
  readonly makeKey?: () => Promise<Uint8Array>;
  /** Pods that stay as they are though they change, by what they would become (watch: what failed just now). */
  readonly leaveOut?: (wanted: ManifestPod) => boolean;
}

/** Texts to change set. Every finding of every stage that could run is in the diagnostics. */
export async function propose(texts: readonly SpecText[], readers: Readers, options: ProposeOptions): Promise<Stage<Proposal>> {
  const model = compileModel(texts);
  if (model.value === undefined) return { diagnostics: model.diagnostics };
  const manifest = await readManifest(readers.facts.paths, readers.files);
  const { facts, images, files } = readers;
  const key = await secretKey(model.value, manifest, readers, options);
  const given = {
    facts,
    manifest,
    images,
    secretKey: key,
    read: (path: string) => files.read(path),
    list: (path: string) => files.list(path),
    choose: options.choose,
  };
  const compiled = await compilePlan(texts, model.value, given);
  const diagnostics: Diagnostic[] = [...model.diagnostics, ...compiled.diagnostics];
  if (compiled.value === undefined) return { diagnostics };
  const written = writtenObjects(model.documents);
  return compare({ ...compiled.value, written, specs: specTexts(written, key) }, manifest, texts, readers, options, diagnostics);
}

/** The store's key where there are Secrets to keep; a reader has none before the first apply of one. */
async function secretKey(model: Model, manifest: Manifest, readers: Readers, options: ProposeOptions): Promise<Uint8Array | undefined> {
  const needed = model.secrets.length > 0 || Object.keys(manifest.objects).some((key) => key.startsWith("Secret/"));
  if (!needed) return undefined;
  return (await readKey(readers.facts.paths, readers.files)) ?? options.makeKey?.();
}

/**
 * The same once more under the writer's lock: somebody else may have written, ConfigMaps and Secrets too. The images stay those
 * that were proposed, and pulled. Of the findings only errors: what warns has been said.
 */
export async function proposeAgain(
  proposal: Proposal,
  texts: readonly SpecText[],
  readers: Readers,
  options: ProposeOptions,
): Promise<Stage<Proposal>> {
  const { facts, files } = readers;
  const manifest = await readManifest(facts.paths, files);
  const key = await secretKey(proposal.model, manifest, readers, options);
  const given = { facts, manifest, secretKey: key, read: (path: string) => files.read(path), list: (path: string) => files.list(path) };
  const compiled = await planModel(texts, proposal.model, proposal.images, given);
  const errors = compiled.diagnostics.filter((d) => d.severity === "error");
  if (compiled.value === undefined) return { diagnostics: errors };
  const { written } = proposal;
  return compare({ ...compiled.value, written, specs: specTexts(written, key) }, manifest, texts, readers, options, errors);
}

/** The last step: what is wanted against what is there. */
async function compare(
  compiled: Compiled & Pick<Proposal, "written" | "specs">,
  manifest: Manifest,
  texts: readonly SpecText[],
  readers: Readers,
  options: ProposeOptions,
  before: readonly Diagnostic[],
): Promise<Stage<Proposal>> {
  const installed = await readInstalled(compiled.rendered, manifest, readers.facts, readers);
  const diagnostics = [...before];
  if (!options.adopt) diagnostics.push(...checkForeign(compiled.rendered, installed, placesOf(compiled.model)));
  const fewer = scaledDown(compiled.rendered, { manifest });
  const unsourced = options.prune ? pruned(compiled, texts, manifest).filter((name) => !fewer.includes(name)) : [];
  const prune = [...fewer, ...unsourced];
  const pruneObjects = options.prune ? prunedObjects(compiled, texts, manifest, prune) : [];
  // A Service that is not named here may be one that goes.
  const rendered = { ...compiled.rendered, pods: compiled.rendered.pods.filter((p) => p.along !== true || !prune.includes(p.name)) };
  const touched = new Set([...rendered.pods.filter((p) => p.along !== true).map((p) => p.name), ...prune]);
  const others = Object.values(manifest.pods).filter((p) => !touched.has(p.name));
  const places = new Map(compiled.model.services.map((s) => [s.name, s.at]));
  diagnostics.push(...claimedPorts(compiled.model.pods, others, compiled.plan.services, places));
  diagnostics.push(...claimedNames(compiled.model.pods, manifest));
  for (const { pod, by } of stillRequired(prune, [...compiled.rendered.pods, ...others])) {
    const hint = `delete both, or take ${pod} out of its podgen.io/requires`;
    diagnostics.push({
      code: "required-pod",
      severity: "error",
      message: `pod "${pod}" would be pruned, and pod "${by}" requires it`,
      hint,
    });
  }
  const held = await heldPods(readers.facts.paths, readers.files);
  if (held.size > 0) diagnostics.push(...requireHeld(rendered, held, placesOf(compiled.model)));
  diagnostics.push(...claimedVolumes(compiled.model.pods, others, compiled.plan.exclusiveClaims));
  if (hasErrors(diagnostics)) return { diagnostics };
  const all = makeChangeSet(rendered, installed, { prune, pruneObjects });
  const wanted = withHolds(options.passive === true ? withoutStarts(all, installed) : all, held, installed);
  const left = wanted.pods.filter((p) => p.verdict !== "unchanged" && p.manifest !== undefined && options.leaveOut?.(p.manifest) === true);
  const rest = withoutPods(wanted, new Set(left.map((p) => p.name)), installed);
  const changes = withRollouts(rest, compiled.rendered, installed);
  return { diagnostics, value: { ...compiled, changes, manifest, pruned: unsourced, foreign: installed.foreign } };
}

/**
 * Pods that came from exactly these sources and are in them no more. A source that could not be read never gets here,
 * and sources that hold no pod at all prune nothing: an empty file is more often a mistake than a wish.
 */
function pruned(compiled: Compiled, texts: readonly SpecText[], manifest: Manifest): string[] {
  const declared = compiled.rendered.pods.filter((p) => p.along !== true);
  if (declared.length === 0) return [];
  const sources = new Set(texts.map((t) => t.source));
  const present = new Set(declared.map((p) => p.name));
  return Object.values(manifest.pods)
    .filter((p) => sources.has(p.source) && !present.has(p.name))
    .map((p) => p.name);
}

/** ConfigMaps and Secrets of these sources, and of the pods that go, that nobody refers to when this is done. */
function prunedObjects(compiled: Compiled, texts: readonly SpecText[], manifest: Manifest, prune: readonly string[]): string[] {
  const { rendered } = compiled;
  if (rendered.pods.length + Object.keys(rendered.objects).length === 0) return [];
  const touched = new Set([...rendered.pods.map((p) => p.name), ...prune]);
  const others = Object.values(manifest.pods).filter((p) => !touched.has(p.name));
  return unneededObjects(manifest, {
    staying: [...rendered.pods, ...others],
    gone: prune.flatMap((name) => manifest.pods[name] ?? []),
    sources: new Set(texts.map((t) => t.source)),
  });
}

/** Where pods, Services, Jobs and CronJobs stand, by their keys. */
function placesOf({ pods, services, jobs = [], crons = [] }: Model): Map<string, Location> {
  return new Map([
    ...pods.map((p) => [p.name, p.at] as const),
    ...services.map((s) => [serviceKey(s.name), s.at] as const),
    ...jobs.map((j) => [jobKey(j.name), j.at] as const),
    ...crons.map((c) => [cronKey(c.name), c.at] as const),
  ]);
}
