// The cases of fixtures/units: a spec, what is given of the machine and the images, and every byte that comes of it.
import type { HostFacts, ImageConfig } from "../../src/base/facts.js";
import { buildModel } from "../../src/model/index.js";
import type { Rendered } from "../../src/render/types.js";
import { parseYaml } from "../../src/spec/yaml.js";
import { fixture } from "./golden.js";
import { hostFacts, imageFacts, renderOf } from "./models.js";

/** given.json: what differs from hostFacts() and imageFacts(); null takes a fact away. */
interface GivenFile {
  readonly home?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly images?: Readonly<Record<string, Partial<ImageConfig>>>;
}

export interface UnitCase {
  readonly facts: HostFacts;
  readonly rendered: Rendered;
}

/** Takes a case through the pure stages. `root` goes in front of its home, for tests that write the files. */
export function unitCase(name: string, root = "", over: Partial<HostFacts> = {}): UnitCase {
  const text = fixture("units", name, "pod.yaml");
  if (text === undefined) throw new Error(`fixtures/units/${name} has no pod.yaml`);
  const given = JSON.parse(fixture("units", name, "given.json") ?? "{}") as GivenFile;
  const facts = { ...hostFacts({}, root + (given.home ?? "/home/alice")), ...given.facts, ...over } as Record<string, unknown>;
  for (const [key, value] of Object.entries(facts)) if (value === null) delete facts[key];
  const host = facts as unknown as HostFacts;

  const documents = parseYaml("web.yaml", text);
  const model = buildModel(documents.value ?? []);
  const findings = [...documents.diagnostics, ...model.diagnostics].filter((d) => d.severity === "error");
  if (model.value === undefined || findings.length > 0) throw new Error(`${name}: ${findings.map((d) => d.message).join("; ")}`);
  const references = new Set(model.value.pods.flatMap((p) => [...p.initContainers, ...p.containers].map((c) => c.image)));
  const images = [...references].map((reference) => imageFacts(reference, given.images?.[reference]));
  return { facts: host, rendered: renderOf(model.value, { facts: host, images, source: "/home/alice/pods/web.yaml" }) };
}
