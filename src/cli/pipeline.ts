// The pure stages in their order, with just the readers they need: what diff, plan, generate, validate and apply share.
import { type Diagnostic, hasErrors } from "../base/diagnostic.js";
import type { HostFacts, ImageFacts } from "../base/facts.js";
import type { Manifest } from "../base/installed.js";
import { buildModel } from "../model/index.js";
import type { Container, Model } from "../model/types.js";
import { makePlan } from "../plan/index.js";
import type { Plan } from "../plan/types.js";
import { type ImageError, type ImageReader, isImageError } from "../ports/images.js";
import { renderPlan } from "../render/index.js";
import type { Rendered } from "../render/types.js";
import { parseYaml } from "../spec/yaml.js";
import type { SpecText } from "./input.js";
import { readObjects } from "./installed.js";

/** The end of a stage: what was found, and what came of it when nothing forbids going on. */
export interface Stage<T> {
  readonly diagnostics: readonly Diagnostic[];
  readonly value?: T;
}

/** Text to model: no machine needed. All findings of all files at once. */
export function compileModel(texts: readonly SpecText[]): Stage<Model> {
  const diagnostics: Diagnostic[] = [];
  const documents = texts.flatMap((t) => {
    const parsed = parseYaml(t.file, t.text);
    diagnostics.push(...parsed.diagnostics);
    return parsed.value ?? [];
  });
  const model = buildModel(documents);
  diagnostics.push(...model.diagnostics);
  return model.value === undefined || hasErrors(diagnostics) ? { diagnostics } : { diagnostics, value: model.value };
}

export interface Compiled {
  readonly model: Model;
  readonly plan: Plan;
  readonly rendered: Rendered;
  /** By the reference in the spec. */
  readonly images: ReadonlyMap<string, ImageFacts>;
}

/** What the plan is made of beside texts and model. */
interface Given {
  readonly facts: HostFacts;
  readonly manifest: Manifest;
  /** Of the secret store; see PlanInput. */
  readonly secretKey: Uint8Array | undefined;
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
}

/** Model to bytes. `images` is the reading half: looked at, never pulled. */
export async function compilePlan(
  texts: readonly SpecText[],
  model: Model,
  given: Given & { readonly images: ImageReader },
): Promise<Stage<Compiled>> {
  const looked = await inspectImages(model, given.images);
  return looked.value === undefined ? { diagnostics: looked.diagnostics } : planModel(texts, model, looked.value, given);
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
  });
  if (plan === undefined || hasErrors(diagnostics)) return { diagnostics };
  return { diagnostics, value: { model, plan, rendered: renderPlan(plan, given.facts), images } };
}

/** Looks at every image once, all at the same time; a failure is a finding at the image's place in the spec. */
async function inspectImages(model: Model, images: ImageReader): Promise<Stage<ReadonlyMap<string, ImageFacts>>> {
  const uses = new Map<string, Container[]>();
  for (const pod of model.pods)
    for (const container of [...pod.initContainers, ...pod.containers]) {
      const key = container.image;
      uses.set(key, [...(uses.get(key) ?? []), container]);
    }
  const diagnostics: Diagnostic[] = [];
  const found = new Map<string, ImageFacts>();
  await Promise.all(
    [...uses].map(async ([reference, containers]) => {
      // The strictest wish wins: one container that says Always has the registry asked for all of them.
      const policies = containers.map((c) => c.imagePullPolicy);
      const policy = policies.includes("Always") ? "Always" : policies.includes("IfNotPresent") ? "IfNotPresent" : "Never";
      try {
        found.set(reference, await images.inspect(reference, policy));
      } catch (error) {
        if (!isImageError(error)) throw error;
        diagnostics.push(...containers.map((c) => imageFinding(error, c)));
      }
    }),
  );
  return diagnostics.length > 0 ? { diagnostics } : { diagnostics, value: found };
}

/** An image that cannot be had, as a finding at its place in the spec. */
export function imageFinding(error: ImageError, container: Container): Diagnostic {
  return {
    code: error.code,
    severity: "error",
    message: error.message,
    at: container.imageAt,
    length: container.image.length,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
