// Resources in systemd's words, and a word when nothing would enforce them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Resources } from "../../src/model/types.js";
import { cpuWeight } from "../../src/plan/resources.js";
import { codesOf, container, goodPlan, hostFacts, modelOf, planOf, pod, renderOf } from "../lib/models.js";

function planned(limits: Resources, requests: Resources) {
  const plan = goodPlan(modelOf(pod("web", { containers: [container("app", { limits, requests })] })));
  const { cpuQuotaPercent, cpuWeight, memoryMax, memoryMin } = plan.pods[0]?.containers[0] ?? {};
  return [cpuQuotaPercent, cpuWeight, memoryMax, memoryMin];
}

// cgroup v1 shares to v2 weight as in KEP 2254.
for (const [millis, weight] of [
  [0, 1],
  [1, 1],
  [100, 4],
  [500, 20],
  [1000, 39],
  [2000, 79],
  [256000, 10000],
  [1_000_000, 10000],
] as const)
  test(`${millis}m of CPU weigh ${weight}`, () => assert.equal(cpuWeight(millis), weight));

test("limits and requests", () => {
  assert.deepEqual(planned({ cpuMillis: 1500, memoryBytes: 1000 }, { cpuMillis: 500, memoryBytes: 500 }), [150, 20, 1000, 500]);
});
test("a CPU limit alone is the request too; a memory limit reserves nothing", () => {
  assert.deepEqual(planned({ cpuMillis: 25, memoryBytes: 1000 }, {}), [2.5, 1, 1000, undefined]);
});
test("nothing asked, nothing set", () => assert.deepEqual(planned({}, {}), [undefined, undefined, undefined, undefined]));

test("limits without their controller are a warning; without limits there is none", () => {
  const facts = hostFacts({ controllers: ["memory"] });
  const model = (limits: Resources) => modelOf(pod("web", { containers: [container("app", { limits })] }));
  assert.deepEqual(codesOf(model({ cpuMillis: 1 }), { facts }), ["no-controller"]);
  assert.deepEqual(codesOf(model({ memoryBytes: 1 }), { facts }), []);
  assert.deepEqual(codesOf(model({}), { facts: hostFacts({ controllers: [] }) }), []);
});

test("a memory request where nothing is reserved for the user has no effect, and that is said by name", () => {
  const model = modelOf(pod("web", { containers: [container("app", { requests: { memoryBytes: 1 } }), container("log")] }));
  const facts = hostFacts({ memoryProtected: false });
  const [found, ...more] = planOf(model, { facts }).diagnostics;
  assert.deepEqual([found?.code, found?.severity, more], ["no-effect", "warning", []]);
  assert.match(found?.message ?? "", /"app" of pod "web": requests\.memory has no effect/);
  assert.deepEqual(codesOf(model), []);
  assert.deepEqual(codesOf(model, { facts: { ...facts, controllers: ["cpu"] } }), ["no-controller"]);
});

test("the pod's slice reserves what its containers request at a time: those of a container lie below it", () => {
  const app = (name: string, memoryBytes: number, init = false) => container(name, { init, requests: { memoryBytes } });
  const slice = (inits: number[], mains: number[]) => {
    const initContainers = inits.map((bytes, i) => app(`i${i}`, bytes, true));
    const web = pod("web", { initContainers, containers: mains.map((bytes, i) => app(`c${i}`, bytes)) });
    const file = renderOf(modelOf(web)).pods[0]?.files.find((f) => f.path.endsWith("/pod-web.slice"));
    return /^MemoryMin=(.*)$/m.exec(new TextDecoder().decode(file?.bytes))?.[1];
  };
  assert.equal(slice([], [100, 200]), "300");
  assert.equal(slice([500, 400], [100, 200]), "500");
  assert.equal(
    renderOf(modelOf(pod("web"))).pods[0]?.files.some((f) => /MemoryMin/.test(new TextDecoder().decode(f.bytes))),
    false,
  );
});
