// Diffs of specs: objects as texts that do not tell secrets, what was applied against what would be, what is kept afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "../../src/base/installed.js";
import { showSpecs } from "../../src/cli/show-specs.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { compareSpecs, keptSpecs } from "../../src/diff/specs.js";
import { writtenObjects } from "../../src/model/written.js";
import { specTexts } from "../../src/plan/spec-texts.js";
import type { Rendered } from "../../src/render/types.js";
import { parseYaml } from "../../src/spec/yaml.js";
import { NOTHING, worldOf } from "../lib/installed.js";
import { container, modelOf, pod, renderOf } from "../lib/models.js";

const KEY = new Uint8Array(32).fill(7);
const texts = (yaml: string, key: Uint8Array | undefined = KEY) => specTexts(writtenObjects(parseYaml("f.yaml", yaml).value ?? []), key);
const POD = "apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: app, image: x, args: [A] }] }\n";
const render = (arg: string): Rendered => renderOf(modelOf(pod("web", { containers: [container("app", { args: [arg] })] })));
const changesTo = (rendered: Rendered, world = NOTHING) => makeChangeSet(rendered, world, {});
/** The world as an apply of it leaves it. */
const manifestOf = (rendered: Rendered): Manifest => worldOf(rendered).manifest;

test("order, comments, quotes, nothings and lists around objects do not count; numbers and texts are told apart", () => {
  const plain = texts(POD);
  assert.deepEqual(
    texts(
      '# why\nspec:\n  containers: [{ args: ["A"], image: "x", name: app, env: ~ }]\nmetadata: {name: web}\nkind: Pod\napiVersion: v1\n',
    ),
    plain,
  );
  const listed = `apiVersion: v1\nkind: PodList\nitems:\n- metadata: { name: web }\n  spec: { containers: [{ name: app, image: x, args: [A] }] }\n`;
  assert.deepEqual({ ...JSON.parse(texts(listed)["Pod/web"] ?? "") }, { ...JSON.parse(plain["Pod/web"] ?? "") });
  assert.notDeepEqual(texts(POD.replace("[A]", "[1]")), texts(POD.replace("[A]", '["1"]')));
});

test("no value of a Secret is in it, whichever way it is written, and yet another one is seen", async () => {
  const secret = (value: string, more = "") =>
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"pw":"${value}"}}'\nstringData: { pw: ${value} }\n${more}`;
  const [one, two] = [texts(secret("hunter2")), texts(secret("hunter3"))];
  assert.doesNotMatch(JSON.stringify(one), /hunter|aHVudGVy|last-applied/);
  assert.notEqual(one["Secret/login"], two["Secret/login"]);
  assert.deepEqual(texts("apiVersion: v1\nkind: Secret\nmetadata: { name: login }\ndata: { pw: aHVudGVyMg== }\n"), one);
  assert.deepEqual(texts(secret("hunter2", "data: { pw: b3RoZXI= }\n")), one, "stringData comes first");
  assert.notEqual(texts(secret("hunter2"), new Uint8Array(32))["Secret/login"], one["Secret/login"], "only this machine's digest");
  const keyless = (value: string) => specTexts(writtenObjects(parseYaml("f.yaml", secret(value)).value ?? []), undefined);
  assert.deepEqual(keyless("hunter2"), keyless("hunter3"), "without a key nothing is told");
  const world: Manifest = { ...NOTHING.manifest, objects: { "Secret/login": { path: "/o", sha256: "0" } } };
  const changes = { ...changesTo({ pods: [], shared: [], objects: {} }), objects: { "Secret/login": { path: "/o", sha256: "1" } } };
  const shown = await showSpecs(compareSpecs(one, two, world, changes));
  assert.match(shown, /^- {2}pw: \(secret [0-9a-f]{12}\)\n\+ {2}pw: \(secret [0-9a-f]{12}\)\n/m);
});

test("an object is created, updated, removed, or of an older podgen; lines of a ConfigMap stand as lines", async () => {
  const [a, b] = [render("A"), render("B")];
  const [before, after] = [texts(POD), texts(POD.replace("[A]", "[B]"))];
  const created = compareSpecs({}, before, NOTHING.manifest, changesTo(a));
  assert.deepEqual(
    created.changes.map((c) => [c.object, c.action]),
    [["Pod/web", "create"]],
  ); // prettier-ignore
  assert.match(await showSpecs(created), /^--- \/dev\/null\n\+\+\+ Pod\/web\n/);
  const world = worldOf(a);
  const updated = compareSpecs(before, after, world.manifest, changesTo(b, world));
  assert.match(await showSpecs(updated), /^--- Pod\/web\n\+\+\+ Pod\/web\n@@.*@@\n(?: .*\n)+- +- A\n\+ +- B\n/);
  assert.deepEqual(compareSpecs({}, after, world.manifest, changesTo(b, world)), { changes: [], unknown: ["Pod/web"] });
  const gone = makeChangeSet({ pods: [], shared: [], objects: {} }, world, { prune: ["web"] });
  assert.equal(compareSpecs(before, {}, world.manifest, gone).changes[0]?.action, "remove");
  const rest = makeChangeSet({ pods: [], shared: [], objects: {} }, world, {});
  assert.deepEqual(compareSpecs(before, {}, world.manifest, rest).changes, [], "what is not in these files stays");

  const map = (line: string) => texts(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata:\n  k: |\n    one\n    ${line}\n`);
  const there: Manifest = { ...NOTHING.manifest, objects: { "ConfigMap/c": { path: "/o", sha256: "0" } } };
  const changed = { ...rest, objects: { "ConfigMap/c": { path: "/o", sha256: "1" } } };
  assert.match(await showSpecs(compareSpecs(map("two"), map("three"), there, changed)), /^ {5}one\n- {4}two\n\+ {4}three\n/m);
});

test("kept is what came to be: not what failed, nor what is gone, nor what a rollback brought without its spec", () => {
  const [a, b] = [render("A"), render("B")];
  const [before, wanted] = [texts(POD), texts(POD.replace("[A]", "[B]"))];
  const changes = changesTo(b, worldOf(a));
  assert.deepEqual(keptSpecs(before, wanted, changes, manifestOf(b)), wanted);
  assert.deepEqual(keptSpecs(before, wanted, changes, manifestOf(a)), before, "it went back");
  assert.deepEqual(Object.keys(keptSpecs(before, wanted, changes, NOTHING.manifest)), []);
  assert.deepEqual(Object.keys(keptSpecs(before, { "Pod/web": undefined }, changes, manifestOf(b))), []);
  assert.deepEqual(keptSpecs(before, { "Pod/web": undefined }, changes, manifestOf(a)), before);
});
