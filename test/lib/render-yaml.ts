// From YAML to rendered files, for tests whose cases are specs. Every image has the same configuration.
import type { HostFacts, ImageConfig } from "../../src/base/facts.js";
import { buildModel } from "../../src/model/index.js";
import type { Rendered } from "../../src/render/types.js";
import { parseYaml } from "../../src/spec/yaml.js";
import { hostFacts, imageFacts, renderOf } from "./models.js";

/** Settings of the images by reference, where they matter. */
export type ImageSettings = Readonly<Record<string, Partial<ImageConfig>>>;

/** Throws, naming the findings, when the spec is not good. */
export function renderYaml(text: string, facts: HostFacts = hostFacts(), settings: ImageSettings = {}): Rendered {
  const documents = parseYaml("web.yaml", text);
  const model = buildModel(documents.value ?? []);
  const findings = [...documents.diagnostics, ...model.diagnostics].filter((d) => d.severity === "error");
  if (model.value === undefined || findings.length > 0) throw new Error(findings.map((d) => d.message).join("; "));
  const references = new Set(model.value.pods.flatMap((p) => [...p.initContainers, ...p.containers].map((c) => c.image)));
  // The tag makes the image: app:1 and app:2 differ in a layer.
  const seed = (reference: string): string => /:.*([0-9])$/.exec(reference)?.[1] ?? "a";
  const images = [...references].map((reference) => imageFacts(reference, settings[reference], seed(reference)));
  return renderOf(model.value, { facts, images, source: "/home/alice/pods/web.yaml" });
}
