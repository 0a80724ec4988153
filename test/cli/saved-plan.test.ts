// A plan in a file: it holds as long as nothing has moved, says what has, and has no contents in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageFacts } from "../../src/base/facts.js";
import { describePlan, isPlanText, movedSince, type PlanInput, parsePlan, planText, replay } from "../../src/cli/saved-plan.js";
import { makeChangeSet } from "../../src/diff/index.js";
import type { Model } from "../../src/model/types.js";
import { NOTHING, type World, worldOf } from "../lib/installed.js";
import { at, container, modelOf, pod, renderOf, secret } from "../lib/models.js";

const INPUT: PlanInput = { files: ["/web.yaml"], kustomize: [], recursive: false, envFiles: [], values: [], set: ["TAG"], prune: false };
const KEY = new Uint8Array(32).fill(7);
const text = (content: string) => [{ file: "web.yaml", source: "/web.yaml", text: content }];
const image = (digest: string): ImageFacts => ({ ...({} as ImageFacts), reference: "docker.io/library/nginx", digest });

const web = (args: string[] = []): Model => {
  const env = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
  return modelOf(pod("web", { containers: [container("app", { args, envFrom: [env] })] }), secret("s", { K: "hunter2" }));
};

function plan(model: Model, world: World = NOTHING, over: { spec?: string; digest?: string; key?: Uint8Array | undefined } = {}) {
  const { spec = "a", digest = "sha256:1", key = KEY } = over;
  const changes = makeChangeSet(renderOf(model), world, {});
  const images = new Map([["nginx", image(digest)]]);
  return describePlan(INPUT, text(spec), { changes, images, manifest: world.manifest }, "key" in over ? over.key : key);
}

test("the same again holds; it is read as it was written", () => {
  const saved = plan(web());
  assert.ok(isPlanText(planText(saved)));
  const read = parsePlan(planText(saved));
  assert.ok(read);
  assert.deepEqual(read, JSON.parse(planText(saved)));
  assert.deepEqual(movedSince(read, plan(web())), []);
});

test("what has moved is said, the cause and not what follows from it", () => {
  assert.deepEqual(movedSince(plan(web()), plan(web(["-v"]), NOTHING, { spec: "b" })), ["/web.yaml has changed"]);
  assert.deepEqual(movedSince(plan(web()), plan(web(), NOTHING, { digest: "sha256:2" })), [
    "image docker.io/library/nginx was sha256:1 and is sha256:2",
  ]);
  assert.deepEqual(movedSince(plan(web()), plan(web(), worldOf(renderOf(web(["-x"]))))), ["pod web is installed in another version"]);
  const edited = worldOf(renderOf(web()));
  const [path] = [...edited.files.keys()].filter((name) => name.endsWith("pod-web_app.service"));
  assert.ok(path);
  edited.files.set(path, new TextEncoder().encode("[Unit]\n"));
  assert.deepEqual(movedSince(plan(web(), worldOf(renderOf(web()))), plan(web(), edited)), [`${path} is, or would become, another`]);
  const stopped = worldOf(renderOf(web()));
  const unit = stopped.units.get("pod-web_app.service");
  assert.ok(unit);
  stopped.units.set(unit.name, { ...unit, activeState: "inactive" });
  assert.match(movedSince(plan(web(), worldOf(renderOf(web()))), plan(web(), stopped)).join(), /^pod web runs or is stopped/);
});

test("no value of a secret is in it, nor a digest that would let somebody try values", () => {
  const saved = planText(plan(web()));
  assert.doesNotMatch(saved, /hunter2/);
  const keyless = plan(web(), NOTHING, { key: undefined });
  const secrets = keyless.files.filter((f) => /\/secrets\/|Secret-/.test(f.path));
  assert.ok(secrets.length > 0);
  assert.deepEqual(
    secrets.map((f) => f.after),
    secrets.map(() => undefined),
  ); // prettier-ignore
  // The key is made under the lock by the apply itself: that alone is no reason to refuse.
  assert.deepEqual(movedSince(keyless, plan(web()), true), []);
  assert.notDeepEqual(movedSince(keyless, plan(web()), false), []);
});

test("a damaged plan is none; one in a spec's place is known by its head", () => {
  assert.equal(parsePlan(planText(plan(web())).slice(0, -20)), undefined);
  assert.equal(parsePlan('{"apiVersion":"podgen.io/v1","kind":"SavedPlan"}'), undefined);
  assert.ok(!isPlanText("apiVersion: v1\nkind: Pod\n"));
});

test("values of --set are given again, or come from the environment as before", () => {
  assert.deepEqual(replay(INPUT, ["TAG=1"]).list("set"), ["TAG=1"]);
  assert.deepEqual(replay(INPUT, []).list("set"), ["TAG"]);
});
