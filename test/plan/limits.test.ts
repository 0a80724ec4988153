// What would fail at the start only is refused by the plan; what passes is a bundle that podrt reads (native/lib/bundle.h).
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, EnvVar } from "../../src/model/types.js";
import { BUNDLE_MAX, LAYERS_MAX, WORD_MAX } from "../../src/plan/limits.js";
import { at, configMap, container, imageFacts, modelOf, planOf, pod, renderOf, secret, volumeMount } from "../lib/models.js";

const MIB = 1024 * 1024;

const modelWith = (over: Partial<Container>, objects: readonly ReturnType<typeof configMap | typeof secret>[] = []) =>
  modelOf(
    pod("web", {
      containers: [container("app", { at: at(3), ...over })],
      volumes: [{ name: "v", source: { kind: "configMap", name: "c", defaultMode: 0o644, optional: false }, at: at(20) }],
    }),
    ...objects,
    ...(objects.some((o) => o.name === "c") ? [] : [configMap("c", {})]),
  );

/** The only finding's text; undefined when there is none. */
function finding(...given: Parameters<typeof planOf>): string | undefined {
  const { diagnostics } = planOf(...given);
  assert.ok(diagnostics.length <= 1, diagnostics.map((d) => d.message).join("\n"));
  const [first] = diagnostics;
  if (first === undefined) return undefined;
  assert.equal(first.code, "too-large");
  assert.equal(first.at?.line, 3);
  return first.message;
}

const variable = (name: string, source: EnvVar["source"]): EnvVar => ({ name, source, at: at(7) });
/** `n` keys of `bytes` each. */
const keys = (n: number, bytes: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`key-${i}`, "x".repeat(bytes)]));

test("a variable is at most what execve takes, whether it is text, from an object or a secret's", () => {
  const fits = "x".repeat(WORD_MAX - "A=".length - 1);
  for (const [text, message] of [
    [fits, undefined],
    [`${fits}x`, /^container "app": variable A has 131072 bytes; 131071 is the most$/],
  ] as const) {
    const cases: readonly Parameters<typeof modelWith>[] = [
      [{ env: [variable("A", { kind: "value", value: text })] }],
      [{ envFrom: [{ kind: "configMap", name: "o", prefix: "", optional: false, at: at(9) }] }, [configMap("o", { A: text })]],
      [{ env: [variable("A", { kind: "secretKey", name: "s", key: "k", optional: false })] }, [secret("s", { k: text })]],
    ];
    for (const words of cases) {
      const found = finding(modelWith(...words));
      if (message === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", message);
    }
  }
});

test("so is a word of the command, counted in bytes", () => {
  assert.equal(finding(modelWith({ command: ["a", "x".repeat(WORD_MAX - 1)] })), undefined);
  assert.match(finding(modelWith({ command: ["a", "ä".repeat(WORD_MAX / 2)] })) ?? "", /word 2 of its command has 131072 bytes/);
});

test("a ConfigMap of thousands of files is mounted; podrt reads a bundle of twice what is counted", () => {
  const model = modelWith({ volumeMounts: [volumeMount("v", "/etc/v")] }, [configMap("c", keys(8000, 100))]);
  assert.equal(finding(model), undefined);
  const bundle = renderOf(model).pods[0]?.files.find((f) => f.path.endsWith("app/config.json"));
  assert.ok(bundle && bundle.bytes.length > MIB && bundle.bytes.length < 2 * BUNDLE_MAX, `${bundle?.bytes.length}`);
});

test("a bundle that podrt would not read is refused", () => {
  const volumeMounts = ["a", "b", "c"].map((name) => volumeMount("v", `/etc/${name}`));
  const model = modelWith({ volumeMounts }, [configMap("c", keys(12_000, 80))]);
  assert.match(finding(model) ?? "", /^container "app": its arguments, variables, mounts .* have \d+ bytes together; 4194304 is the most$/);
});

test("so is an image of more layers than overlay takes", () => {
  const layers = Array.from({ length: LAYERS_MAX + 1 }, (_, i) => `sha256:${String(i).padStart(64, "0")}`);
  const images = [{ ...imageFacts(), layers }];
  assert.match(finding(modelWith({}), { images }) ?? "", /its image has 501 layers; 500 is the most/);
  assert.equal(finding(modelWith({}), { images: [{ ...imageFacts(), layers: layers.slice(1) }] }), undefined);
});
