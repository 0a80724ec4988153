// Model + facts -> Plan: every decision, none of the bytes. Pure: all that it uses is in its input.
import type { CdiFile } from "../base/cdi.js";
import { type Checked, type Diagnostic, hasErrors, oncePerPlace } from "../base/diagnostic.js";
import type { HostFacts, ImageFacts } from "../base/facts.js";
import { sameOwner } from "../base/owner.js";
import type { Model, ObjectRef, PodModel, WorkloadModel } from "../model/types.js";
import { withAccounts } from "./accounts.js";
import { makeRegistry } from "./cdi.js";
import { checkClaims, exclusiveClaims } from "./claim-objects.js";
import { planCrons } from "./cron.js";
import { planJobs } from "./jobs.js";
import { type AppliedObjects, allObjects, checkImmutable, planObject } from "./objects.js";
import { planOrder } from "./order.js";
import { planPod } from "./pod.js";
import { noQuota } from "./quota.js";
import { type InstalledEntries, planServices } from "./services.js";
import type { Plan, PodPlan } from "./types.js";
import { oncePerReason, type Unenforced } from "./unenforced.js";
import { type InstalledUserns, UsernsPlanner } from "./userns.js";

export type { AppliedObjects } from "./objects.js";

export interface PlanInput {
  readonly model: Model;
  /** What the manifest remembers as the source (an absolute path, a URL, `-`), by the file that locations name. */
  readonly sources: ReadonlyMap<string, string>;
  readonly facts: HostFacts;
  /** By reference as in the model. */
  readonly images: ReadonlyMap<string, ImageFacts>;
  /** ConfigMaps and Secrets of earlier applies. */
  readonly objects: AppliedObjects;
  /** This machine's random key for the digests of secret values; without it, paths do not depend on values. */
  readonly secretKey: Uint8Array | undefined;
  /** Pods and Services of earlier applies. */
  readonly installed?: InstalledEntries;
  /** Seccomp profiles that containers name, by path (seccompPath); one that is not there is absent. */
  readonly profiles: ReadonlyMap<string, Uint8Array>;
  /** Names of the time zones that the machine knows, of those that CronJobs have; absent: none. */
  readonly zones?: ReadonlySet<string>;
  /** The files of the Container Device Interface, where a container names a device; absent: none. */
  readonly cdi?: readonly CdiFile[];
  /** The id maps of pods that are installed. */
  readonly userns: InstalledUserns;
}

/** Plans all pods and objects of one apply. All findings at once; no plan when any is an error. */
export function makePlan(input: PlanInput): Checked<Plan> {
  const { facts, images } = input;
  const model = withAccounts(input.model, input.objects.accounts ?? new Map());
  const diagnostics: Diagnostic[] = [...checkPaths(facts), ...checkImmutable(model, input.objects), ...checkClaims(model, input.objects)];
  const sourceOf = ({ at }: ObjectRef): string => input.sources.get(at.file) ?? at.file;
  const objects = allObjects(model, input.objects);
  const workloads = model.workloads ?? [];
  const all = [...model.pods, ...workloads.flatMap((w) => w.surge)];
  const userns = new UsernsPlanner(facts, input.userns, all, images);
  const unenforced: Unenforced[] = [];
  const order = planOrder(all, input.installed ?? {});
  diagnostics.push(...(workloads.length === 0 ? order.diagnostics : oncePerPlace(order.diagnostics)));
  const shared = {
    facts,
    images,
    objects,
    secretKey: input.secretKey,
    profiles: input.profiles,
    userns,
    unenforced,
    cdi: makeRegistry(input.cdi ?? []),
  };
  const exclusive = exclusiveClaims(objects.claims);
  const claimsOf = (surge: readonly PodModel[]): string | undefined =>
    exclusive.find((c) => surge.some((pod) => pod.volumes.some((v) => claimName(v) === c)));
  const standIns = standInsOf(workloads.filter((w) => claimsOf(w.surge) === undefined));
  const planOne = (pod: PodModel, found: Diagnostic[]): PodPlan => {
    const context = {
      ...shared,
      pod,
      standIns: standIns.get(pod.name),
      after: order.after.get(pod.name),
      used: new Set<string>(),
      data: new Map(),
      diagnostics: found,
    };
    return planPod(context, sourceOf(pod));
  };
  /** What workloads' pods find: each of a template's the same. */
  const common: Diagnostic[] = [];
  const pods = model.pods.map((pod) => planOne(pod, pod.owner === undefined ? diagnostics : common));
  const planned = workloads.map(({ kind, name, rollout, surge }) => {
    const claim = claimsOf(surge);
    return {
      rollout: claim === undefined ? rollout : { ...rollout, noSurge: `the claim "${claim}" is for one pod (ReadWriteOncePod)` },
      pods: pods.filter((p) => sameOwner(p.owner, { kind, name })).map((p) => p.name),
      surge: claim === undefined ? surge.map((pod) => planOne(pod, common)) : [],
    };
  });
  for (const { name, storage, at } of model.claims)
    if (storage !== undefined) unenforced.push(noQuota(`claim "${name}"`, "resources.requests.storage", at));
  const { services, diagnostics: judged } = planServices({
    services: model.services,
    pods: model.pods,
    surge: workloads.flatMap((w) => w.surge),
    installed: input.installed ?? {},
    facts,
    sourceOf,
  });
  diagnostics.push(...judged);
  const jobs = planJobs({ jobs: model.jobs ?? [], pods, facts, sourceOf });
  const crons = planCrons(model.crons ?? [], facts, input.zones ?? new Set(), sourceOf);
  diagnostics.push(...jobs.diagnostics, ...crons.diagnostics);
  diagnostics.push(...oncePerPlace(common), ...oncePerReason(unenforced));
  if (facts.pasta === undefined && pods.some((p) => !p.hostNetwork)) diagnostics.push(NO_UPLINK);
  if (hasErrors(diagnostics)) return { diagnostics };
  const kept = [...model.configMaps, ...model.secrets, ...model.claims, ...(model.accounts ?? [])].map((object) => ({
    ...planObject(facts.paths, object),
    source: sourceOf(object),
  }));
  const plan: Plan = {
    pods,
    services,
    objects: kept.sort((a, b) => (a.key < b.key ? -1 : 1)),
    pause: pods.length > 0,
    exclusiveClaims: exclusive,
    ...(planned.length === 0 ? {} : { workloads: planned }),
    ...(jobs.jobs.length === 0 ? {} : { jobs: jobs.jobs }),
    ...(crons.crons.length === 0 ? {} : { crons: crons.crons }),
  };
  return { value: plan, diagnostics };
}

/** By the name of the one pod that a workload has: of several none has a port of the host. */
function standInsOf(workloads: readonly WorkloadModel[]): Map<string, string[]> {
  return new Map(
    workloads.flatMap(({ name, replicas, surge }) => {
      const [first] = surge;
      const index = (first?.owner?.index ?? 0) - 1;
      return replicas === 1 && first !== undefined ? [[`${name}-${index}`, surge.map((pod) => pod.name)] as const] : [];
    }),
  );
}

function claimName({ source }: PodModel["volumes"][number]): string | undefined {
  return source.kind === "persistentVolumeClaim" ? source.claimName : undefined;
}

const NO_UPLINK: Diagnostic = {
  code: "no-uplink",
  severity: "warning",
  message: "there is no pasta on this machine: pods have no uplink and reach nothing outside themselves; published ports work",
  hint: "install the package passt; of your own PATH the units know nothing before systemctl --user import-environment PATH",
};

/** Paths end up in unit files, which are lines of text; of a program's path systemd takes no quotes and backslashes. */
function checkPaths(facts: HostFacts): Diagnostic[] {
  const bad = Object.entries(facts.paths).filter(([name, path]) => hasControl(path) || (name === "podrt" && /["'\\]/.test(path)));
  return bad.map(([, path]) => ({
    code: "unusable-path",
    severity: "error",
    message: `the path ${JSON.stringify(path)} has a character that unit files cannot hold there`,
    hint: "set HOME and the XDG_… variables to folders without quotes, backslashes and control characters",
  }));
}

function hasControl(text: string): boolean {
  return [...text].some((c) => c < " " || c === "\x7f");
}
