// The pure stages in their order, with just the readers they need: what diff, plan, generate, validate and apply share.
import { type Diagnostic, hasErrors, oncePerPlace } from "../base/diagnostic.js";
import type { HostFacts, ImageFacts } from "../base/facts.js";
import type { Manifest } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import type { RegistryLogin } from "../base/registry-login.js";
import { type ImageUse, imageUses } from "../model/images.js";
import { buildModel } from "../model/index.js";
import type { Model } from "../model/types.js";
import { withAccounts } from "../plan/accounts.js";
import { zonePath } from "../plan/cron.js";
import { makePlan } from "../plan/index.js";
import { allObjects } from "../plan/objects.js";
import { pullLogins } from "../plan/pull-secrets.js";
import { seccompPath } from "../plan/seccomp.js";
import type { Plan } from "../plan/types.js";
import { type ImageError, type ImageReader, isImageError } from "../ports/images.js";
import { renderPlan } from "../render/index.js";
import type { Rendered } from "../render/types.js";
import type { SpecDocument } from "../spec/node.js";
import { parseYaml } from "../spec/yaml.js";
import { readCdi } from "./cdi.js";
import type { SpecText } from "./input.js";
import { readObjects } from "./installed.js";
import { type Choose, nameImages, type PodLogins } from "./short-names.js";

/** The end of a stage: what was found, and what came of it when nothing forbids going on. */
export interface Stage<T> {
  readonly diagnostics: readonly Diagnostic[];
  readonly value?: T;
}

/** Text to model: no machine needed. All findings of all files at once. */
export function compileModel(texts: readonly SpecText[]): Stage<Model> & { readonly documents: readonly SpecDocument[] } {
  const diagnostics: Diagnostic[] = [];
  const used = new Set<string>();
  const documents = texts.flatMap((t) => {
    const parsed = parseYaml(t.file, t.text, t.variables);
    diagnostics.push(...parsed.diagnostics);
    for (const name of parsed.used) used.add(name);
    return parsed.value ?? [];
  });
  const asked = new Set(texts.flatMap((t) => [...(t.variables?.asked ?? [])]));
  for (const name of asked) if (!used.has(name)) diagnostics.push(unused(name));
  const model = buildModel(documents);
  diagnostics.push(...model.diagnostics);
  return model.value === undefined || hasErrors(diagnostics) ? { diagnostics, documents } : { diagnostics, documents, value: model.value };
}

function unused(name: string): Diagnostic {
  const hint = `write \${${name}} where it is to stand`;
  return { code: "variable-unused", severity: "warning", message: `--set ${name}: no spec has a variable of that name`, hint };
}

export interface Compiled {
  readonly model: Model;
  readonly plan: Plan;
  readonly rendered: Rendered;
  /** By the reference in the model. */
  readonly images: ReadonlyMap<string, ImageFacts>;
  /** What somebody was asked for just now: short name -> reference. */
  readonly chosen?: ReadonlyMap<string, string>;
  /** What pulls may log in with beside the user's own logins, by reference. In memory only. */
  readonly logins?: ReadonlyMap<string, readonly RegistryLogin[]>;
}

/** What the plan is made of beside texts and model. */
interface Given {
  readonly facts: HostFacts;
  readonly manifest: Manifest;
  /** Of the secret store; see PlanInput. */
  readonly secretKey: Uint8Array | undefined;
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  readonly list: (path: string) => Promise<string[]>;
}

/** Model to bytes. `images` is the reading half: looked at, never pulled. The model it ends with has full names of images only. */
export async function compilePlan(
  texts: readonly SpecText[],
  model: Model,
  given: Given & { readonly images: ImageReader; readonly choose?: Choose | undefined },
): Promise<Stage<Compiled>> {
  const { logins, diagnostics } = await pullSecrets(model, given);
  if (diagnostics.length > 0) return { diagnostics: oncePerPlace(diagnostics) };
  const named = await nameImages(model, given.images, logins, given.choose);
  if (named.value === undefined) return { diagnostics: named.diagnostics };
  const looked = await inspectImages(named.value.model, given.images, logins);
  if (looked.value === undefined) return { diagnostics: looked.diagnostics };
  const planned = await planModel(texts, named.value.model, looked.value, given);
  if (planned.value === undefined) return planned;
  const { model: full, chosen } = named.value;
  return { ...planned, value: { ...planned.value, chosen, logins: loginsByImage(full, logins) } };
}

/** The logins of each pod's Secrets, by the pod's name. Objects are read only where a pod names some. */
async function pullSecrets(
  model: Model,
  given: Pick<Given, "manifest" | "read">,
): Promise<{ logins: PodLogins; diagnostics: Diagnostic[] }> {
  const logins = new Map<string, readonly RegistryLogin[]>();
  const diagnostics: Diagnostic[] = [];
  const accounts = model.accounts !== undefined || Object.keys(given.manifest.objects).some((key) => key.startsWith("ServiceAccount/"));
  if (!accounts && model.pods.every((p) => p.imagePullSecrets === undefined)) return { logins, diagnostics };
  const applied = await readObjects(given.manifest, given.read);
  const pods = withAccounts(model, applied.accounts ?? new Map()).pods.filter((p) => p.imagePullSecrets !== undefined);
  const objects = allObjects(model, applied);
  for (const pod of pods) {
    const found = pullLogins(pod, objects);
    logins.set(pod.name, found.logins);
    diagnostics.push(...found.diagnostics);
  }
  return { logins, diagnostics };
}

/** What the pull of an image may log in with: the logins of every pod that uses it, in the order of the pods. */
function loginsByImage(model: Model, logins: PodLogins): ReadonlyMap<string, readonly RegistryLogin[]> {
  const found = new Map<string, Map<string, RegistryLogin>>();
  for (const pod of model.pods)
    for (const { image } of imageUses(pod))
      for (const login of logins.get(pod.name) ?? []) {
        const own = found.get(image) ?? new Map<string, RegistryLogin>();
        // Pods mostly name the same Secret.
        found.set(image, own.set(JSON.stringify(login), login));
      }
  return new Map([...found].map(([image, own]) => [image, [...own.values()]]));
}

/** The same with images that were looked at before: what earlier applies have left is read, nothing is fetched. */
export async function planModel(
  texts: readonly SpecText[],
  model: Model,
  images: ReadonlyMap<string, ImageFacts>,
  given: Given,
): Promise<Stage<Compiled>> {
  const { diagnostics, value: plan } = makePlan({
    model,
    sources: new Map(texts.map((t) => [t.file, t.source])),
    facts: given.facts,
    images,
    objects: await readObjects(given.manifest, given.read),
    secretKey: given.secretKey,
    profiles: await readProfiles(model, given),
    zones: await readZones(model, given),
    cdi: await readCdi(model, given.facts.paths.settings, given),
    installed: given.manifest.pods,
    userns: recordOf(Object.entries(given.manifest.pods).map(([name, { userns }]) => [name, userns])),
  });
  if (plan === undefined || hasErrors(diagnostics)) return { diagnostics };
  return { diagnostics, value: { model, plan, rendered: renderPlan(plan, given.facts), images } };
}

/** The time zones of CronJobs, as far as the machine has them. */
async function readZones(model: Model, { read }: Given): Promise<ReadonlySet<string>> {
  const names = new Set((model.crons ?? []).flatMap((cron) => cron.timeZone ?? []));
  const known = await Promise.all([...names].map(async (name) => ({ name, bytes: await read(zonePath(name)).catch(() => undefined) })));
  return new Set(known.flatMap(({ name, bytes }) => (bytes !== undefined && isZone(bytes) ? [name] : [])));
}

/** How a file of rules begins (RFC 8536): there are lists of them beside. */
function isZone(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 4)) === "TZif";
}

/** The seccomp profiles that containers name; what cannot be read is not there. */
async function readProfiles(model: Model, { facts, read }: Given): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const containers = model.pods.flatMap((pod) => [...pod.initContainers, ...pod.containers]);
  const files = new Set(containers.flatMap(({ security }) => security.seccompFile ?? []));
  for (const file of files) {
    const path = seccompPath(facts.paths.settings, file);
    const bytes = await read(path);
    if (bytes !== undefined) found.set(path, bytes);
  }
  return found;
}

/**
 * Looks at every image, all at the same time, and once for all pods that have the same logins; a failure is a finding at the
 * image's place in the spec.
 */
async function inspectImages(model: Model, images: ImageReader, logins: PodLogins): Promise<Stage<ReadonlyMap<string, ImageFacts>>> {
  const uses = new Map<string, { reference: string; containers: ImageUse[]; logins: readonly RegistryLogin[] | undefined }>();
  for (const pod of model.pods)
    for (const container of imageUses(pod)) {
      const own = logins.get(pod.name);
      const key = own === undefined ? container.image : `${container.image} ${JSON.stringify(own)}`;
      const use = uses.get(key) ?? { reference: container.image, containers: [], logins: own };
      uses.set(key, use);
      use.containers.push(container);
    }
  const diagnostics: Diagnostic[] = [];
  const found = new Map<string, ImageFacts>();
  await Promise.all(
    [...uses.values()].map(async ({ reference, containers, logins: own }) => {
      // The strictest wish wins: one container that says Always has the registry asked for all of them.
      const policies = containers.map((c) => c.imagePullPolicy);
      const policy = policies.includes("Always") ? "Always" : policies.includes("IfNotPresent") ? "IfNotPresent" : "Never";
      try {
        found.set(reference, await images.inspect(reference, policy, own));
      } catch (error) {
        if (!isImageError(error)) throw error;
        diagnostics.push(...containers.map((c) => imageFinding(error, c)));
      }
    }),
  );
  return diagnostics.length > 0 ? { diagnostics: oncePerPlace(diagnostics) } : { diagnostics, value: found };
}

/** An image that cannot be had, as a finding at its place in the spec. */
export function imageFinding(error: ImageError, container: Pick<ImageUse, "image" | "imageAt">): Diagnostic {
  return {
    code: error.code,
    severity: "error",
    message: error.message,
    at: container.imageAt,
    length: container.image.length,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
