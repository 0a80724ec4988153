// Objects of earlier applies: immutable ones keep their data, and a plan says which ones its pods refer to.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMapModel } from "../../src/model/types.js";
import { digestOf } from "../../src/plan/digest.js";
import { checkImmutable, NO_OBJECTS, parseAppliedObjects, planObject } from "../../src/plan/objects.js";

import { at, codesOf, container, type Given, modelOf, pod, renderOf, secret } from "../lib/models.js";

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

const model = (object: ConfigMapModel) => ({ pods: [], configMaps: [object], secrets: [], claims: [], services: [] });

test("an immutable object that stays the same is fine", () => {
  assert.deepEqual(checkImmutable(model(configMap("a", true)), applied(configMap("a", true))), []);
});

test("other data, and being mutable again, are refused at the object's place", () => {
  for (const changed of [configMap("b", true), configMap("a", false)]) {
    const [finding, ...more] = checkImmutable(model(changed), applied(configMap("a", true)));
    assert.equal(finding?.code, "immutable-object");
    assert.deepEqual(finding?.at, changed.at);
    assert.deepEqual(more, []);
    assert.deepEqual(codesOf(model(changed), { objects: applied(configMap("a", true)) }), ["immutable-object"], "there is no plan");
  }
});

test("a mutable object may become anything, a new one too", () => {
  assert.deepEqual(checkImmutable(model(configMap("b", true)), applied(configMap("a", false))), []);
  assert.deepEqual(checkImmutable(model(configMap("b", true)), NO_OBJECTS), []);
});

/** Every byte of a pod that has a Secret's value as a variable, secrets left out; and where the value is. */
function rendered(value: string, given: Given) {
  const from = { kind: "secret", name: "login", prefix: "", optional: false, at: at() } as const;
  const web = pod("web", { containers: [container("app", { envFrom: [from] })] });
  const files = renderOf(modelOf(web, secret("login", { PIN: value })), given).pods[0]?.files ?? [];
  const open = files.filter((f) => !f.secret).map((f) => `${f.path}\n${new TextDecoder().decode(f.bytes)}`);
  return { text: open.join("\n"), place: files.find((f) => f.secret)?.path };
}

test("with the store's key, places follow from the value: same machine, same bytes; nobody else can tell the value by them", () => {
  const [one, two] = [{ secretKey: new Uint8Array(32).fill(1) }, { secretKey: new Uint8Array(32).fill(2) }];
  assert.deepEqual(rendered("1234", one), rendered("1234", one));
  assert.notEqual(rendered("1234", one).place, rendered("1235", one).place);
  assert.notEqual(rendered("1234", one).place, rendered("1234", two).place);
  assert.match(rendered("1234", one).place ?? "", /\/secrets\/login\/[0-9a-f]{32}\/PIN$/);
  const guesses = [digestOf("PIN", "1234"), digestOf("login", "PIN", "1234"), digestOf("1234")].map((d) => d.slice(0, 8));
  for (const guess of guesses) assert.doesNotMatch(rendered("1234", one).text, new RegExp(guess));
});

test("without a key (generate) nothing follows from the value", () => {
  assert.deepEqual(rendered("1234", { secretKey: null }), rendered("another", { secretKey: null }));
});
