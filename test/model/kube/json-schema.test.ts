// `podgen schema` against a validator of JSON Schema: what validate accepts, it accepts; what the walker refuses, it refuses.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Validator } from "@cfworker/json-schema";
import { hasErrors } from "../../../src/base/diagnostic.js";
import { jsonSchema } from "../../../src/model/kube/json-schema.js";
import { KINDS } from "../../../src/model/kube/kinds.js";
import type { Node } from "../../../src/spec/node.js";
import { parseYaml } from "../../../src/spec/yaml.js";
import { check } from "../../lib/spec.js";

const whole = new Validator(jsonSchema() as object, "7");

function plain(node: Node): unknown {
  if (node.kind === "map") return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
  if (node.kind === "seq") return node.items.map(plain);
  return typeof node.value === "bigint" ? Number(node.value) : node.value;
}

/** Whether the schema takes every document of a text. */
function taken(text: string): boolean {
  return (parseYaml("pod.yaml", text).value ?? []).every(({ root }) => whole.validate(plain(root)).valid);
}

/** What the walker finds without looking into texts: the schema must find it too. */
const STRUCTURE = new Set(["unknown-field", "missing-field", "wrong-type", "refused-field"]);

for (const kind of ["good", "bad"])
  describe(`fixtures/${kind}`, () => {
    for (const name of readdirSync(join("fixtures", kind)).sort())
      test(name, () => {
        const text = readFileSync(join("fixtures", kind, name, "pod.yaml"), "utf8");
        const { diagnostics } = check(text);
        const inList = /^kind: List$/m.test(text);
        if (!hasErrors(diagnostics)) assert.ok(taken(text));
        else if (diagnostics.some((d) => d.severity === "error" && STRUCTURE.has(d.code)) && !inList) assert.ok(!taken(text));
      });
  });

/** A pod with one more field in its spec and one in its container, as JSON. */
const pod = (container: string, spec = ""): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: localhost/a${container === "" ? "" : `, ${container}`}}]${spec === "" ? "" : `, ${spec}`}}}`;

describe("single fields, as validate has them", () => {
  for (const [text, valid] of [
    [pod(""), true],
    [pod("imagee: x"), false],
    [pod("livenessProbe: {exec: {command: [a]}}"), true],
    [pod("volumeDevices: [{name: a, devicePath: /a}]"), false],
    [pod("volumeDevices: []"), true],
    [pod("livenessProbe: null"), true],
    [pod("stdin: false"), true],
    [pod("imagePullPolicy: Sometimes"), false],
    [pod("imagePullPolicy: null"), true],
    [pod("resources: {limits: {cpu: 1, memory: 1Gi}}"), true],
    [pod("resources: {limits: {nvidia.com/gpu: 1}}"), false],
    [pod("ports: [{containerPort: 70000}]"), false],
    [pod('ports: [{containerPort: "80"}]'), false],
    [pod("securityContext: {privileged: true}"), true],
    [pod("", "nodeSelector: {a: b}"), true],
    [pod("", "affinity: {nodeAffinity: {}}"), true],
    [pod("", "runtimeClassName: runc"), false],
    [pod("", "volumes: [{name: v, nfs: {}}]"), false],
    [pod("", "volumes: [{name: v, emptyDir: {}}]"), true],
    ["{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: []}}", false],
    ["{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{name: a, image: localhost/a}]}}", false],
    ["{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}", false],
    ["{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}", true],
    ["{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 1}}", false],
  ] as const)
    test(text, () => {
      assert.equal(!hasErrors(check(text).diagnostics), valid, "validate");
      assert.equal(taken(text), valid, "the schema");
    });
});

test("a schema of one kind is of that kind alone; every property says what it is; every reference leads somewhere", () => {
  for (const kind of KINDS.keys()) {
    const schema = JSON.parse(JSON.stringify(jsonSchema(kind))) as {
      definitions: Record<string, { properties: Record<string, { description?: string }> }>;
    };
    const text = JSON.stringify(schema);
    for (const [, ref = ""] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) assert.ok(ref in schema.definitions, ref);
    for (const [name, { properties }] of Object.entries(schema.definitions))
      for (const [field, { description }] of Object.entries(properties))
        if (!["apiVersion", "kind"].includes(field)) assert.ok(description, `${name}.${field}`);
  }
  const one = new Validator(jsonSchema("Pod") as object, "7");
  assert.ok(!one.validate({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }).valid);
});
