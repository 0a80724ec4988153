// Model + facts -> Plan: every decision, none of the bytes. Pure: all that it uses is in its input.
import { type Checked, type Diagnostic, hasErrors } from "../base/diagnostic.js";
import type { HostFacts, ImageFacts } from "../base/facts.js";
import type { Model } from "../model/types.js";
import { type AppliedObjects, allObjects, planObject } from "./objects.js";
import { planPod } from "./pod.js";
import type { Plan } from "./types.js";

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
}

/** Plans all pods and objects of one apply. All findings at once; no plan when any is an error. */
export function makePlan(input: PlanInput): Checked<Plan> {
  const { model, facts, images } = input;
  const diagnostics: Diagnostic[] = [...checkPaths(facts)];
  const objects = allObjects(model, input.objects);
  const pods = model.pods.map((pod) => {
    const source = input.sources.get(pod.at.file) ?? pod.at.file;
    return planPod({ pod, facts, images, objects, data: new Map(), diagnostics }, source);
  });
  if (facts.pasta === undefined && pods.some((p) => !p.hostNetwork)) diagnostics.push(NO_UPLINK);
  if (hasErrors(diagnostics)) return { diagnostics };
  const kept = [...model.configMaps, ...model.secrets].map((object) => planObject(facts.paths, object));
  const plan: Plan = { pods, objects: kept.sort((a, b) => (a.key < b.key ? -1 : 1)), pause: pods.length > 0 };
  return { value: plan, diagnostics };
}

const NO_UPLINK: Diagnostic = {
  code: "no-uplink",
  severity: "warning",
  message: "there is no pasta on this machine: pods have no uplink and reach nothing outside themselves; published ports work",
  hint: "install the package passt",
};

/** Paths end up in unit files, which are lines of text. */
function checkPaths(facts: HostFacts): Diagnostic[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const bad = Object.entries(facts.paths).filter(([, path]) => /[\x00-\x1f\x7f]/.test(path));
  return bad.map(([name, path]) => ({
    code: "unusable-path",
    severity: "error",
    message: `the ${name} folder ${JSON.stringify(path)} has a control character in its name, which unit files cannot hold`,
    hint: "set HOME and the XDG_… variables to folders with plain names",
  }));
}
