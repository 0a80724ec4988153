// Objects of earlier applies: immutable ones keep their data, and a plan says which ones its pods refer to.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMapModel } from "../../src/model/types.js";
import { checkImmutable, NO_OBJECTS, parseAppliedObjects, planObject } from "../../src/plan/objects.js";

const paths = { home: "/h", units: "/u", data: "/d", state: "/s", run: "/r", settings: "/c", podrt: "/d/bin/podrt" };

function configMap(value: string, immutable: boolean): ConfigMapModel {
  return {
    kind: "ConfigMap",
    name: "conf",
    namespace: "default",
    labels: {},
    annotations: {},
    at: { file: "web.yaml", line: 4, column: 9 },
    data: new Map([["key", new TextEncoder().encode(value)]]),
    ...(immutable ? { immutable: true } : {}),
  };
}

/** What an earlier apply of the object leaves, through its stored file. */
function applied(object: ConfigMapModel) {
  const stored = planObject(paths, object);
  return parseAppliedObjects(new Map([[stored.key, stored.bytes]]));
}

const model = (object: ConfigMapModel) => ({ pods: [], configMaps: [object], secrets: [] });

test("an immutable object that stays the same is fine", () => {
  assert.deepEqual(checkImmutable(model(configMap("a", true)), applied(configMap("a", true))), []);
});

test("other data, and being mutable again, are refused at the object's place", () => {
  for (const changed of [configMap("b", true), configMap("a", false)]) {
    const [finding, ...more] = checkImmutable(model(changed), applied(configMap("a", true)));
    assert.equal(finding?.code, "immutable-object");
    assert.deepEqual(finding?.at, changed.at);
    assert.deepEqual(more, []);
  }
});

test("a mutable object may become anything, a new one too", () => {
  assert.deepEqual(checkImmutable(model(configMap("b", true)), applied(configMap("a", false))), []);
  assert.deepEqual(checkImmutable(model(configMap("b", true)), NO_OBJECTS), []);
});
