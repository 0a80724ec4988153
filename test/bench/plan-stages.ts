// The pure stages over a spec of many pods, in a process of its own (plan.mjs): text to plan, and to bytes; JSON on stdout.
import { readFileSync } from "node:fs";
import { buildModel } from "../../src/model/index.js";
import { makePlan } from "../../src/plan/index.js";
import { NO_OBJECTS } from "../../src/plan/objects.js";
import { renderPlan } from "../../src/render/index.js";
import { parseYaml } from "../../src/spec/yaml.js";
import { hostFacts, imageFacts } from "../lib/models.js";

const text = readFileSync(process.argv[2] ?? "", "utf8");
const facts = hostFacts();
/** Milliseconds by stage: on the wall, and of processors (the compiler's and the collector's threads too). */
const wall: Record<string, number> = {};
const cpu: Record<string, number> = {};
let last = { wall: performance.now(), cpu: process.cpuUsage() };
const mark = (stage: string): void => {
  const used = process.cpuUsage(last.cpu);
  wall[stage] = performance.now() - last.wall;
  cpu[stage] = (used.user + used.system) / 1000;
  last = { wall: performance.now(), cpu: process.cpuUsage() };
};

const { value: documents = [] } = parseYaml("pods.yaml", text);
mark("parse");
const { value: model, diagnostics } = buildModel(documents);
mark("validate");
if (model === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)));
const references = model.pods.flatMap((p) => [...p.initContainers, ...p.containers].map((c) => c.image));
const plan = makePlan({
  model,
  sources: new Map(),
  facts,
  images: new Map(references.map((reference) => [reference, imageFacts(reference)])),
  objects: NO_OBJECTS,
  secretKey: new Uint8Array(32),
  profiles: new Map(),
  userns: {},
});
mark("plan");
if (plan.value === undefined) throw new Error(JSON.stringify(plan.diagnostics.slice(0, 3)));
const peak = process.resourceUsage().maxRSS;
renderPlan(plan.value, facts);
mark("render");
console.log(JSON.stringify({ wall, cpu, peakKiB: peak, peakWithRenderKiB: process.resourceUsage().maxRSS }));
