// Pods that are left out of a change set: they, and what only they refer to, stay as they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeChangeSet } from "../../src/diff/index.js";
import { withoutPods } from "../../src/diff/without.js";
import { NOTHING, worldOf } from "../lib/installed.js";
import { at, configMap, container, modelOf, pod, renderOf } from "../lib/models.js";

const env = (name: string) => [{ kind: "configMap", name, prefix: "", optional: false, at: at() } as const];
/** Pods a and b, which share one ConfigMap and have one each. */
function version(word: string) {
  const user = (name: string) => pod(name, { containers: [container("app", { envFrom: [...env(name), ...env("both")] })] });
  const maps = ["a", "b", "both"].map((name) => configMap(name, { K: name === "both" ? "same" : word }));
  return renderOf(modelOf(user("a"), user("b"), ...maps));
}

test("the others are changed; objects of the pods left out keep their entry and their bytes", () => {
  const world = worldOf(version("1"));
  const all = makeChangeSet(version("2"), world, {});
  assert.equal(all.shared.length, 2);
  const rest = withoutPods(all, new Set(["a"]), world);
  assert.deepEqual(
    [rest.pods.map((p) => p.name), rest.shared.map((f) => f.path), rest.empty],
    [["b"], [all.objects["ConfigMap/b"]?.path], false],
  );
  assert.deepEqual(rest.objects["ConfigMap/a"], world.manifest.objects["ConfigMap/a"]);
  assert.deepEqual(rest.objects["ConfigMap/b"], all.objects["ConfigMap/b"]);
});

test("when none is left there is nothing to do, not even a pause process", () => {
  const all = makeChangeSet(version("1"), NOTHING, {});
  const rest = withoutPods(all, new Set(["a", "b"]), NOTHING);
  assert.deepEqual([rest.pods, rest.shared, { ...rest.objects }, rest.empty], [[], [], {}, true]);
  const world = worldOf(version("1"));
  assert.equal(withoutPods(makeChangeSet(version("2"), world, {}), new Set(["a", "b"]), world).empty, true);
});

test("nothing is left out: the same change set", () => {
  const all = makeChangeSet(version("1"), NOTHING, {});
  assert.equal(withoutPods(all, new Set(["c"]), NOTHING), all);
});
