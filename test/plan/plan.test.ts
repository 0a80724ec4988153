// The plan as a whole: uplink, names, objects, paths that no unit can hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAppliedObjects, planObject } from "../../src/plan/objects.js";
import { at, codesOf, configMap, container, goodPlan, hostFacts, modelOf, pod, secret } from "../lib/models.js";

const { pasta: _, ...bare } = hostFacts();

test("an uplink where there is pasta and the pod has a network of its own", () => {
  assert.equal(goodPlan(modelOf(pod("web"))).pods[0]?.uplink, true);
  assert.equal(goodPlan(modelOf(pod("web", { hostNetwork: true }))).pods[0]?.uplink, false);
  assert.equal(goodPlan(modelOf(pod("web")), { facts: bare }).pods[0]?.uplink, false);
});

test("without pasta one warning, however many pods; none when all are in the host's network", () => {
  assert.deepEqual(codesOf(modelOf(pod("a"), pod("b")), { facts: bare }), ["no-uplink"]);
  assert.deepEqual(codesOf(modelOf(pod("a", { hostNetwork: true })), { facts: bare }), []);
});

test("nothing to run needs no pause process", () => {
  assert.equal(goodPlan(modelOf(configMap("c", {}))).pause, false);
  assert.equal(goodPlan(modelOf(pod("web"))).pause, true);
});

test("unit names that systemd would refuse are refused first, the slice's escapes counted", () => {
  assert.deepEqual(codesOf(modelOf(pod("a".repeat(235)))), []);
  assert.deepEqual(codesOf(modelOf(pod("a".repeat(236)))), ["name-too-long"]);
  assert.deepEqual(codesOf(modelOf(pod("a-".repeat(60).concat("b")))), ["name-too-long"]);
});

test("paths that no unit file can hold are refused", () => {
  const bad = (home: string) => new Set(codesOf(modelOf(pod("web")), { facts: hostFacts({}, home) }));
  for (const home of ["/home/a\nb", '/home/"a"', "/home/o'neil", "/home/a\\b"])
    assert.deepEqual(bad(home), new Set(["unusable-path"]), home);
  assert.deepEqual(bad("/home/al ice/100%/$x/ü;"), new Set());
});

test("all findings at once", () => {
  const env = [{ name: "X", source: { kind: "configMapKey", name: "no", key: "k", optional: false }, at: at(3) } as const];
  const model = modelOf(pod("a", { containers: [container("x", { env })] }), pod("b", { containers: [container("y", { env })] }));
  assert.deepEqual(codesOf(model), ["missing-object", "missing-object"]);
});

test("objects of earlier applies are found; those of this one come first", () => {
  const env = [{ name: "X", source: { kind: "configMapKey", name: "c", key: "k", optional: false }, at: at(3) } as const];
  const web = pod("web", { containers: [container("app", { env })] });
  const objects = { configMaps: new Map([["c", configMap("c", { k: "old" })]]), secrets: new Map(), claims: new Map() };
  const x = (model: ReturnType<typeof modelOf>) => goodPlan(model, { objects }).pods[0]?.containers[0]?.env.find((e) => e.startsWith("X="));
  assert.equal(x(modelOf(web)), "X=old");
  assert.equal(x(modelOf(web, configMap("c", { k: "new" }))), "X=new");
});

test("objects survive their file, and the file does not depend on the place in the source", () => {
  const paths = hostFacts().paths;
  const bytes = new Uint8Array([0, 255, 10]);
  const original = secret("s", { b: "text", a: bytes });
  const planned = planObject(paths, original);
  assert.deepEqual(
    [planned.key, planned.path, planned.mode, planned.secret],
    ["Secret/s", `${paths.state}/objects/Secret-s.json`, 0o600, true],
  );
  const back = parseAppliedObjects(new Map([[planned.key, planned.bytes]])).secrets.get("s");
  assert.deepEqual(back?.data.get("a"), bytes);
  assert.equal(back?.type, "Opaque");
  assert.deepEqual(planObject(paths, { ...original, at: at(99) }).bytes, planned.bytes);
});

test("a damaged object is an error that does not quote it", () => {
  for (const text of ['{"kind":"Secret", hunter2', '{"kind":"Secret","name":"other","data":{"p":"hunter2"}}'])
    assert.throws(
      () => parseAppliedObjects(new Map([["Secret/s", new TextEncoder().encode(text)]])),
      (error: Error) => /Secret\/s is damaged/.test(error.message) && !error.message.includes("hunter2"),
    );
});
