// The cases of fixtures/units: a spec, what is given of the machine and the images, and every byte that comes of it.
import type { HostFacts } from "../../src/base/facts.js";
import type { Rendered } from "../../src/render/types.js";
import { fixture } from "./golden.js";
import { hostFacts } from "./models.js";
import { type ImageSettings, renderYaml } from "./render-yaml.js";

/** given.json: what differs from hostFacts() and imageFacts(); null takes a fact away. */
interface GivenFile {
  readonly home?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly images?: ImageSettings;
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
  return { facts: host, rendered: renderYaml(text, host, given.images) };
}
