// The environment: order of precedence, expansion, references to secrets, what cannot be found.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, EnvVar, Volume } from "../../src/model/types.js";
import { at, codesOf, configMap, container, goodPlan, imageFacts, modelOf, planOf, pod, secret } from "../lib/models.js";

const value = (name: string, text: string): EnvVar => ({ name, source: { kind: "value", value: text }, at: at(7) });
const key = (name: string, kind: "configMapKey" | "secretKey", object: string, k: string, optional = false): EnvVar => ({
  name,
  source: { kind, name: object, key: k, optional },
  at: at(8),
});
const from = (kind: "configMap" | "secret", name: string, prefix = "", optional = false) => ({ kind, name, prefix, optional, at: at(9) });

const objects = [configMap("c", { A: "from-c", B: "b" }), secret("s", { PASS: "hunter2" })];

function planned(over: Partial<Container>, config = {}) {
  const plan = goodPlan(modelOf(pod("web", { containers: [container("app", over)] }), ...objects), {
    images: [imageFacts(undefined, config)],
  });
  const [first] = plan.pods[0]?.containers ?? [];
  assert.ok(first);
  return first;
}

function envOf(over: Partial<Container>, config = {}): Record<string, string> {
  return Object.fromEntries(planned(over, config).env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

test("an image without PATH gets the usual one, and the hostname is the pod's", () => {
  assert.deepEqual(envOf({}), { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOSTNAME: "web" });
});

test("a hostname is cut to 63 characters and does not end in a dash", () => {
  const name = `${"a".repeat(62)}-tail`;
  const plan = goodPlan(modelOf(pod(name)));
  assert.ok(plan.pods[0]?.containers[0]?.env.includes(`HOSTNAME=${"a".repeat(62)}`));
});

test("the image's variables are overridden by envFrom, and those by env", () => {
  const env = envOf(
    { envFrom: [from("configMap", "c")], env: [value("B", "mine")] },
    { env: ["PATH=/bin", "A=image", "B=image", "C=image"] },
  );
  assert.deepEqual(env, { PATH: "/bin", HOSTNAME: "web", A: "from-c", B: "mine", C: "image" });
});

test("a later envFrom wins, and a prefix is put in front", () => {
  assert.equal(envOf({ envFrom: [from("configMap", "c"), from("configMap", "c", "P_")] })["P_A"], "from-c");
});

test("a value sees the variables before it and envFrom's, not the image's", () => {
  const env = envOf(
    { envFrom: [from("configMap", "c")], env: [value("X", "$(A)-$(Y)-$(IMG)"), value("Y", "$(X)")] },
    { env: ["IMG=image"] },
  );
  assert.equal(env["X"], "from-c-$(Y)-$(IMG)");
  assert.equal(env["Y"], "from-c-$(Y)-$(IMG)");
});

test("command and args see all variables of the spec", () => {
  assert.deepEqual(planned({ command: ["run", "$(Y)", "$$(Y)"], args: ["$(NO)"], env: [value("Y", "why")] }).args, [
    "run",
    "why",
    "$(Y)",
    "$(NO)",
  ]);
});

test("a terminal has TERM", () => assert.equal(envOf({ tty: true })["TERM"], "xterm"));

test("a secret is a reference to its store, its value in no other place", () => {
  const app = planned({ env: [key("P", "secretKey", "s", "PASS")], envFrom: [from("secret", "s", "X_")] });
  assert.match(app.secretEnv["P"] ?? "", /^\/home\/alice\/\.local\/share\/podgen\/secrets\/s\/[0-9a-f]{32}\/PASS$/);
  assert.equal(app.secretEnv["X_PASS"], app.secretEnv["P"]);
  assert.ok(!JSON.stringify(app).includes("hunter2"));
});

test("the store's files are 0600, secret and hold the value", () => {
  const plan = goodPlan(modelOf(pod("web", { containers: [container("app", { envFrom: [from("secret", "s")] })] }), ...objects));
  assert.deepEqual(
    plan.pods[0]?.data.map((d) => [d.mode, d.secret, new TextDecoder().decode(d.bytes)]),
    [[0o600, true, "hunter2"]],
  );
});

test("another value is another path", () => {
  const path = (text: string) =>
    goodPlan(modelOf(pod("web", { containers: [container("app", { envFrom: [from("secret", "s")] })] }), secret("s", { PASS: text })))
      .pods[0]?.containers[0]?.secretEnv["PASS"];
  assert.notEqual(path("one"), path("two"));
  assert.equal(path("one"), path("one"));
});

test("plain env wins over a secret of the same name", () => {
  const app = planned({ envFrom: [from("secret", "s")], env: [value("PASS", "open")] });
  assert.deepEqual(Object.keys(app.secretEnv), []);
  assert.ok(app.env.includes("PASS=open"));
});

for (const [what, over] of [
  ["a value", { envFrom: [from("secret", "s")], env: [value("URL", "db://u:$(PASS)@h")] }],
  ["an argument", { envFrom: [from("secret", "s")], args: ["--password=$(PASS)"] }],
] as const)
  test(`${what} that would pull a secret in is refused, and the message does not tell it`, () => {
    const { value: plan, diagnostics } = planOf(modelOf(pod("web", { containers: [container("app", over)] }), ...objects));
    assert.equal(plan, undefined);
    assert.deepEqual(
      diagnostics.map((d) => [d.code, d.severity]),
      [["secret-in-expansion", "error"]],
    );
    assert.match(diagnostics[0]?.hint ?? "", /PASS/);
    assert.ok(!JSON.stringify(diagnostics).includes("hunter2"));
  });

test("the literal $$(PASS) is no expansion", () => {
  assert.equal(envOf({ envFrom: [from("secret", "s")], env: [value("T", "$$(PASS)")] })["T"], "$(PASS)");
});

const missing: readonly [string, Partial<Container>, string[]][] = [
  ["object of env", { env: [key("X", "configMapKey", "nope", "A")] }, ["missing-object"]],
  ["secret of env", { env: [key("X", "secretKey", "nope", "A")] }, ["missing-object"]],
  ["key of env", { env: [key("X", "configMapKey", "c", "NOPE")] }, ["missing-key"]],
  ["object of envFrom", { envFrom: [from("configMap", "nope")] }, ["missing-object"]],
  ["optional object of env", { env: [key("X", "configMapKey", "nope", "A", true)] }, []],
  ["optional key of env", { env: [key("X", "secretKey", "s", "NOPE", true)] }, []],
  ["optional object of envFrom", { envFrom: [from("secret", "nope", "", true)] }, []],
];
for (const [what, over, codes] of missing)
  test(`missing ${what}: ${codes.join() || "nothing"}`, () => {
    assert.deepEqual(codesOf(modelOf(pod("web", { containers: [container("app", over)] }), ...objects)), codes);
  });

test("the place of a missing key is the variable's, and the hint names the keys there are", () => {
  const { diagnostics } = planOf(
    modelOf(pod("web", { containers: [container("app", { env: [key("X", "secretKey", "s", "PAS")] })] }), ...objects),
  );
  assert.deepEqual(diagnostics[0]?.at, at(8));
  assert.match(diagnostics[0]?.hint ?? "", /PASS/);
});

test("envFrom leaves out keys that are no variable or no text, with a warning", () => {
  const odd = configMap("odd", { "1st": "x", ok: "y", "da-sh.ed": "z", raw: new Uint8Array([0xff, 0xfe]), nul: "a\0b" });
  const { value: plan, diagnostics } = planOf(
    modelOf(pod("web", { containers: [container("app", { envFrom: [from("configMap", "odd")] })] }), odd),
  );
  const names = plan?.pods[0]?.containers[0]?.env.map((line) => line.split("=")[0]);
  assert.deepEqual(names, ["PATH", "HOSTNAME", "da-sh.ed", "ok"]);
  assert.deepEqual(
    diagnostics.map((d) => [d.code, d.severity]),
    [["invalid-env-names", "warning"]],
  );
  assert.match(diagnostics[0]?.message ?? "", /1st, nul, raw$/);
});

test("a key that is no text cannot be a variable", () => {
  const odd = secret("odd", { k: "a\0b" });
  const model = modelOf(pod("web", { containers: [container("app", { env: [key("X", "secretKey", "odd", "k")] })] }), odd);
  assert.deepEqual(codesOf(model), ["binary-env"]);
});

test("fileKeyRef: where podrt finds the line; of an emptyDir on disk alone, and not within other values", () => {
  const source = { kind: "fileKey", volume: "v", path: "a//b.env", key: "K", optional: true } as const;
  const env: EnvVar[] = [{ name: "A", source, at: at(7) }];
  const more: EnvVar = { name: "B", source: { kind: "value", value: "x$(A)" }, at: at(8) };
  const model = (volumes: Volume[], list = env) => modelOf(pod("web", { volumes, containers: [container("app", { env: list })] }));
  const volume = (medium: "" | "Memory"): Volume => ({ name: "v", source: { kind: "emptyDir", medium }, at: at() });
  const [app] = goodPlan(model([volume("")])).pods[0]?.containers ?? [];
  const folder = "/home/alice/.local/share/podgen/empty/web/v";
  assert.deepEqual(app?.fileEnv, [{ name: "A", folder, path: "a/b.env", key: "K", optional: true }]);
  assert.deepEqual(codesOf(model([])), ["unknown-volume"]);
  assert.deepEqual(codesOf(model([volume("Memory")])), ["bad-volume"]);
  assert.deepEqual(codesOf(model([{ ...volume(""), source: { kind: "hostPath", path: "/x", type: "" } }])), ["bad-volume"]);
  assert.deepEqual(codesOf(model([volume("")], [...env, more])), ["file-in-expansion"]);
});
