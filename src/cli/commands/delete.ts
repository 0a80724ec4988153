// podgen delete: a change set that only removes, through the same transaction. Volumes stay.
import type { ObjectReport } from "../../apply/types.js";
import { cronKey } from "../../base/cron.js";
import type { Manifest } from "../../base/installed.js";
import { isDriven, jobKey } from "../../base/job.js";
import { recordOf } from "../../base/record.js";
import { serviceKey } from "../../base/service.js";
import { makeChangeSet } from "../../diff/index.js";
import { unneededObjects } from "../../diff/objects.js";
import { stillRequired } from "../../diff/required.js";
import type { ChangeSet } from "../../diff/types.js";
import type { WorkloadModel } from "../../model/types.js";
import { claimKey } from "../../plan/claim-objects.js";
import { planServices } from "../../plan/services.js";
import { renderService } from "../../render/service.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { readSpecs, type SpecText, STDIN } from "../input.js";
import { readInstalled } from "../installed.js";
import { compileModel } from "../pipeline.js";
import { manifestOf, parseTarget, podsOf, serviceName } from "../pods.js";
import { printDiagnostics } from "../print.js";
import { openReaders, type Readers } from "../session.js";
import { reportJson, showFailures, showReport } from "../show.js";
import { ownedBy, type Target } from "../targets.js";
import { applyDeletion, refuseRoot } from "./apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const named = args.list("pods").map((word): Target => {
    const service = serviceName(word);
    if (service !== undefined) return { pod: serviceKey(service) };
    const target = parseTarget(word);
    if (target.container !== undefined) throw new UserError(`${word}: a container is deleted by taking it out of its spec`, EXIT.usage);
    return target;
  });
  const texts = args.list("filename").length + args.list("kustomize").length > 0 ? await readSpecs(args, context) : [];
  const inFiles = objectsIn(texts, context);
  if (inFiles === undefined) return EXIT.failed;
  if (!inFiles.empty && named.length + inFiles.named.length + inFiles.objects.length + inFiles.workloads.length === 0)
    throw new UserError("name a pod, or a file with -f", EXIT.usage);
  const manifest = await manifestOf(context);
  const lenient = args.flag("ignore-not-found");
  const jobs = [...named, ...inFiles.named].filter((t) => isJob(manifest, t));
  const plain = [...named, ...inFiles.named].filter((t) => !isJob(manifest, t));
  refuseDriven(manifest, plain);
  refuseRuns(manifest, jobs);
  const wanted = [...podsToDelete(manifest, plain, inFiles.workloads, lenient), ...jobs.flatMap((job) => jobEntries(manifest, job))];

  const readers = await openReaders(context);
  const sources = texts.map((t) => t.source);
  let others: readonly ObjectReport[] = [];
  const report = await applyDeletion(context, readers, async () => {
    const deletion = await deletionOf(context, readers, wanted, { objects: inFiles.objects, sources });
    others = deletion.others;
    return deletion;
  });
  const missing = others.filter((o) => o.outcome === "not-found");
  const objects = [...report.objects, ...others].filter((o) => !args.flag("ignore-not-found") || !missing.includes(o));
  const whole = { ...report, objects };
  context.out.write(args.text("output") === "json" ? reportJson(whole) : showReport(whole));
  context.err.write(showFailures(whole));
  return report.exitCode === 0 && missing.length > 0 && !args.flag("ignore-not-found") ? EXIT.failed : report.exitCode;
}

interface InFiles {
  readonly named: readonly Target[];
  readonly workloads: readonly WorkloadModel[];
  /** There is nothing to be deleted, and that is right. */
  readonly empty: boolean;
  /** ConfigMaps and Secrets. */
  readonly objects: readonly string[];
}

/** A Job or a CronJob that is there; what is not is told of as of any workload. */
function isJob(manifest: Manifest, { kind, pod }: Target): boolean {
  return manifest.pods[entryOf(kind, pod)] !== undefined;
}

function entryOf(kind: string | undefined, name: string): string {
  return kind === "CronJob" ? cronKey(name) : kind === "Job" ? jobKey(name) : "";
}

/** A Job and its pods; a CronJob and those of all its runs. */
function jobEntries(manifest: Manifest, { kind, pod }: Target): string[] {
  const key = entryOf(kind, pod);
  const jobs = kind === "CronJob" ? (manifest.pods[key]?.cron?.jobs ?? []) : [pod];
  const made = kind === "CronJob" ? jobs.map(jobKey).filter((job) => manifest.pods[job] !== undefined) : [];
  return [key, ...made, ...jobs.flatMap((job) => ownedBy(manifest, job, "Job").map((p) => p.name))];
}

/** A run that is deleted alone would be missed by its CronJob. */
function refuseRuns(manifest: Manifest, jobs: readonly Target[]): void {
  for (const { kind, pod } of jobs) {
    const cron = manifest.pods[entryOf(kind, pod)]?.job?.cron;
    if (cron !== undefined)
      throw new UserError(
        `job ${pod} is a run of ${cronKey(cron)}`,
        EXIT.failed,
        `podgen stop ${jobKey(pod)}; podgen delete ${cronKey(cron)}`,
      );
  }
}

/** A pod of a Job that is deleted alone would be missed by its controller. */
function refuseDriven(manifest: Manifest, named: readonly Target[]): void {
  for (const { pod, kind } of named) {
    const meant = kind === undefined && manifest.pods[pod] !== undefined ? manifest.pods[pod] : ownedBy(manifest, pod, kind).at(0);
    const owner = meant?.owner;
    if (isDriven(owner) && owner !== undefined)
      throw new UserError(`pod ${pod} belongs to ${jobKey(owner.name)}`, EXIT.failed, `podgen delete ${jobKey(owner.name)}`);
  }
}

/** Names of pods; of a workload of a file all that there are, however many it would make now. `lenient`: what is not there is passed over. */
function podsToDelete(manifest: Manifest, named: readonly Target[], workloads: readonly WorkloadModel[], lenient: boolean): string[] {
  const there = (target: Target): string[] => {
    try {
      return podsOf(manifest, target).map((t) => t.pod);
    } catch (error) {
      if (!lenient || !(error instanceof UserError)) throw error;
      return [];
    }
  };
  const made = workloads.flatMap(({ kind, name, replicas }) => {
    return replicas === 0 ? ownedBy(manifest, name, kind).map((p) => p.name) : there({ kind, pod: name });
  });
  return [...new Set([...named.flatMap(there), ...made])];
}

/** What the files name, to be deleted; undefined when they have errors (printed). */
function objectsIn(texts: readonly SpecText[], context: Context): InFiles | undefined {
  if (texts.length === 0) return { named: [], workloads: [], objects: [], empty: false };
  const { diagnostics, value } = compileModel(texts);
  printDiagnostics(context, diagnostics, texts);
  if (value === undefined) return undefined;
  const named = value.pods.flatMap((p) => (p.owner === undefined ? [{ pod: p.name }] : []));
  const services = value.services.map((s) => ({ pod: serviceKey(s.name) }));
  const jobs = (value.jobs ?? []).flatMap((j) => (j.cron === undefined ? [{ pod: j.name, kind: "Job" }] : []));
  const crons = (value.crons ?? []).map((c) => ({ pod: c.name, kind: "CronJob" }));
  const workloads = value.workloads ?? [];
  // Claims that a workload makes were named by nobody.
  const made = new Set(workloads.flatMap((w) => w.claims));
  const objects = [...value.configMaps, ...value.secrets, ...value.claims.filter((c) => !made.has(c.name)), ...(value.accounts ?? [])];
  for (const name of value.namespaces ?? []) context.err.write(`note: namespace/${name} holds nothing: names are unique per user here\n`);
  const empty = value.namespaces !== undefined;
  return { named: [...named, ...services, ...jobs, ...crons], workloads, empty, objects: objects.map((o) => `${o.kind}/${o.name}`) };
}

interface Deletion {
  readonly manifest: Manifest;
  readonly changes: ChangeSet;
  /** Objects that were named and do not go. */
  readonly others: readonly ObjectReport[];
}

/**
 * The change set that removes these pods and objects, from the state of now; names that are not there are left out. The
 * ConfigMaps and Secrets that these pods refer to, that came from where the pods did, or from `sources`, go with them
 * unless a pod that stays refers to them: a secret is not kept for nobody.
 */
export async function deletionOf(
  context: Context,
  readers: Readers,
  pods: readonly string[],
  named: { readonly objects?: readonly string[]; readonly sources?: readonly string[] } = {},
): Promise<Deletion> {
  const manifest = await manifestOf(context);
  const { facts } = readers;
  // Services that stay forget the pods that go.
  const left = recordOf(Object.entries(manifest.pods).filter(([name]) => !pods.includes(name)));
  const { services } = planServices({ services: [], pods: [], installed: left, facts, sourceOf: (s) => s.at.file });
  const rest = { pods: services.map((service) => renderService(service, facts)), shared: [], objects: {} };
  const installed = await readInstalled(rest, manifest, facts, readers);
  const gone = pods.flatMap((p) => manifest.pods[p] ?? []);
  const staying = Object.values(manifest.pods).filter((p) => !gone.includes(p));
  const [required] = stillRequired(pods, staying);
  if (required !== undefined) {
    const hint = `delete both, or take ${required.pod} out of its podgen.io/requires`;
    throw new UserError(`pod "${required.pod}" is required by pod "${required.by}", which stays`, EXIT.failed, hint);
  }
  const sources = new Set([...(named.sources ?? []), ...gone.map((p) => p.source)].filter((source) => source !== STDIN));
  const users = (key: string): string[] => staying.filter((p) => p.objects.includes(key)).map((p) => p.name);
  const claim = claimKey("");
  const objects = (named.objects ?? []).filter((key) => !key.startsWith(claim));
  const used = gone.flatMap((p) => p.objects).filter((key) => key.startsWith(claim));
  const claims = [...new Set([...used, ...(named.objects ?? []).filter((key) => key.startsWith(claim))])].sort();
  const pruneObjects = [...unneededObjects(manifest, { staying, gone, sources }), ...objects.filter((key) => users(key).length === 0)];
  const others = objects.flatMap((name): ObjectReport[] => {
    if (manifest.objects[name] === undefined) return [{ name, outcome: "not-found", pods: [] }];
    return users(name).length === 0 ? [] : [{ name, outcome: "kept", pods: users(name) }];
  });
  // Their files are removed by name alone.
  const kept = claims.map((name): ObjectReport => ({ name, outcome: "kept", pods: users(name) }));
  return {
    manifest,
    changes: makeChangeSet(rest, installed, { prune: gone.map((p) => p.name), pruneObjects }),
    others: [...others, ...kept],
  };
}
