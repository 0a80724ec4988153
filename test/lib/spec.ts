// A spec's text through parse and model, as the command line does it.
import type { Diagnostic } from "../../src/base/diagnostic.js";
import { hasErrors } from "../../src/base/diagnostic.js";
import { buildModel } from "../../src/model/index.js";
import type { Model } from "../../src/model/types.js";
import { parseYaml } from "../../src/spec/yaml.js";

/** All findings; the model when none is an error. */
export function check(text: string, file = "pod.yaml"): { diagnostics: Diagnostic[]; model: Model | undefined } {
  const parsed = parseYaml(file, text);
  const built = buildModel(parsed.value ?? []);
  const diagnostics = [...parsed.diagnostics, ...built.diagnostics];
  return { diagnostics, model: hasErrors(diagnostics) ? undefined : built.value };
}

/** `code line:column`, sorted by place: what most tests compare. */
export function findings(text: string): string[] {
  return check(text)
    .diagnostics.toSorted((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0))
    .map((d) => `${d.code} ${d.at?.line}:${d.at?.column}`);
}

/** The model as JSON shows it: without places, maps as objects, bytes as base64. */
export function plainModel(model: Model): unknown {
  return JSON.parse(
    JSON.stringify(model, (key, value: unknown) => {
      if (key === "at" || key === "imageAt") return undefined;
      if (value instanceof Map) return Object.fromEntries(value);
      return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
    }),
  );
}
