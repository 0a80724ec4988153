// Rollouts: the order of a workload's pods, how many at a time, who stands in, and who stays as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnerRef } from "../../src/base/owner.js";
import type { RolloutWish } from "../../src/base/rollout.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { withRollouts } from "../../src/diff/rollout.js";
import type { ChangeSet } from "../../src/diff/types.js";
import type { Model, PodModel, WorkloadModel } from "../../src/model/types.js";
import type { Rendered } from "../../src/render/types.js";
import { NOTHING, unitState, type World, worldOf } from "../lib/installed.js";
import { at, container, modelOf, pod, renderOf } from "../lib/models.js";

const WISH: RolloutWish = {
  kind: "Deployment",
  name: "web",
  how: "rolling",
  paused: false,
  maxUnavailable: 1,
  maxSurge: 0,
  partition: 0,
  ordered: false,
  downwards: false,
  minReadySeconds: 0,
};

function rendered(replicas: number, arg: string, over: Partial<RolloutWish> = {}): Rendered {
  const wish = { ...WISH, ...over };
  const kind = wish.kind as WorkloadModel["kind"];
  const make = (index: number): PodModel => {
    const owner: OwnerRef = { kind, name: "web", index };
    return pod(`web-${index}`, { owner, containers: [container("app", { args: [arg] })] });
  };
  const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  const surge = wish.maxUnavailable === 0 && wish.noSurge === undefined ? numbers(replicas, wish.maxSurge).map(make) : [];
  const common = { name: "web", namespace: "default", labels: {}, annotations: {}, at: at() };
  const workload: WorkloadModel = { ...common, kind, replicas, rollout: wish, claims: [], surge };
  const model: Model = { ...modelOf(...numbers(0, replicas).map(make)), workloads: [workload] };
  return renderOf(model);
}

const change = (wanted: Rendered, world: World): ChangeSet => withRollouts(makeChangeSet(wanted, world, {}), wanted, world);

/** A step as `-stop +up xremove`. */
function steps(changes: ChangeSet): string[] {
  assert.ok((changes.rollouts ?? []).length <= 1);
  const marked = (names: readonly string[], mark: string): string[] => names.map((name) => `${mark}${name.replace("web-", "")}`);
  return (changes.rollouts?.[0]?.steps ?? []).map(({ stop, up, remove }) =>
    [...marked(stop, "-"), ...marked(up, "+"), ...marked(remove, "x")].join(" "),
  );
}

const CASES: readonly (readonly [what: string, now: number, wanted: number, wish: Partial<RolloutWish>, steps: readonly string[]])[] = [
  ["new pods come together", 0, 3, {}, ["+0 +1 +2"]],
  ["a StatefulSet's one after the other", 0, 3, { ordered: true }, ["+0", "+1", "+2"]],
  ["one may be missing", 3, 3, {}, ["+0", "+1", "+2"]],
  ["two may be missing", 5, 5, { maxUnavailable: 2 }, ["+0 +1", "+2 +3", "+4"]],
  ["none may be missing: a pod stands in", 2, 2, { maxUnavailable: 0, maxSurge: 1 }, ["+2", "+0", "+1", "x2"]],
  ["several stand in, but no more than are of use", 2, 2, { maxUnavailable: 0, maxSurge: 5 }, ["+2 +3", "+0 +1", "x2 x3"]],
  ["nobody can stand in: one by one all the same", 2, 2, { maxUnavailable: 0, maxSurge: 1, noSurge: "a port" }, ["+0", "+1"]],
  ["a StatefulSet's go downwards", 3, 3, { ordered: true, downwards: true }, ["+2", "+1", "+0"]],
  ["all stop before any starts", 2, 2, { how: "recreate" }, ["-0 -1 +0 +1"]],
  ["more pods come before others are replaced", 2, 3, {}, ["+2", "+0", "+1"]],
  ["pods that go stand in as long as they are there", 3, 2, { maxUnavailable: 0, maxSurge: 1 }, ["+0", "+1", "x2"]],
  ["those that go are old ones: they stop with them", 3, 2, { how: "recreate" }, ["-0 -1 -2 +0 +1", "x2"]],
];

for (const [what, now, wanted, wish, expected] of CASES)
  test(what, () => {
    const world = now === 0 ? NOTHING : worldOf(rendered(now, "old", wish));
    assert.deepEqual(steps(change(rendered(wanted, "new", wish), world)), expected);
  });

test("fewer pods of the same template: they go, a StatefulSet's from the highest number, and no other is touched", () => {
  const world = worldOf(rendered(3, "old"));
  assert.deepEqual(steps(change(rendered(1, "old"), world)), ["x1 x2"]);
  assert.deepEqual(steps(change(rendered(1, "old", { ordered: true }), world)), ["x2", "x1"]);
  assert.deepEqual(
    change(rendered(0, "old"), world).pods.map((p) => p.verdict),
    ["deleted", "deleted", "deleted"],
  );
});

test("nothing changed is no rollout", () => {
  const changes = change(rendered(3, "old"), worldOf(rendered(3, "old")));
  assert.deepEqual([changes.empty, changes.rollouts, changes.notes], [true, [], []]);
});

test("a pod that does not run comes first: it is missing anyway", () => {
  const world = worldOf(rendered(3, "old"));
  for (const name of ["pod-web-2.service", "pod-web-2_app.service"])
    world.units.set(name, unitState(name, { activeState: "inactive", subState: "dead" }));
  assert.deepEqual(steps(change(rendered(3, "new"), world)), ["+2", "+0", "+1"]);
});

test("who is only changed in ways that disturb nobody needs no turn", () => {
  const world = worldOf(rendered(2, "old"));
  for (const [name, entry] of Object.entries(world.manifest.pods)) world.manifest.pods[name] = { ...entry, source: "/elsewhere.yaml" };
  const changes = change(rendered(2, "old"), world);
  assert.deepEqual([changes.rollouts, changes.pods.map((p) => p.verdict)], [[], ["configured", "configured"]]);
});

test("a surge pod is not enabled, and all that it brings goes with it", () => {
  const wish = { maxUnavailable: 0, maxSurge: 1 };
  const world = worldOf(rendered(2, "old", wish));
  const [surge] = change(rendered(2, "new", wish), world).rollouts?.[0]?.surge ?? [];
  assert.ok(surge !== undefined);
  assert.deepEqual(surge.change.enable, []);
  assert.deepEqual(surge.change.manifest?.owner, { kind: "Deployment", name: "web", index: 2 });
  const paths = (files: readonly { path: string; action: string }[], action: string) =>
    files.flatMap((f) => (f.action === action ? [f.path] : [])).sort();
  assert.deepEqual(paths(surge.removal.files, "remove"), paths(surge.change.files, "create"));
});

test("a name or a unit that is somebody's: nobody stands in, and it is said why", () => {
  const wish = { maxUnavailable: 0, maxSurge: 1 };
  const world = worldOf(rendered(2, "old", wish));
  world.foreign.set("pod-web-2.service", "/etc/systemd/user/pod-web-2.service");
  const changes = change(rendered(2, "new", wish), world);
  assert.deepEqual(steps(changes), ["+0", "+1"]);
  assert.deepEqual(changes.notes, [
    "deployment/web: there is a unit pod-web-2.service already, and it is not podgen's: its pods are replaced in place, 1 at a time",
  ]);
});

/** Names of the pods in the change set, and what is said. */
const kept = (changes: ChangeSet) => [changes.pods.map((p) => p.name), changes.notes];

test("paused: pods stay, new ones of another template are not made, those of the same are", () => {
  const world = worldOf(rendered(2, "old"));
  assert.deepEqual(kept(change(rendered(3, "new", { paused: true }), world)), [
    [],
    [
      "deployment/web is paused: web-0, web-1 stay as before",
      "deployment/web is paused: web-2 not made, which would be of the new template",
    ],
  ]);
  assert.deepEqual(steps(change(rendered(3, "old", { paused: true }), world)), ["+2"]);
  assert.equal(change(rendered(2, "new", { paused: true }), NOTHING).empty, true, "not even the pause process is there for nobody");
  assert.deepEqual(change(rendered(2, "new", { paused: true }), NOTHING).pods, []);
});

test("OnDelete and ReplicaSets: what is there stays, what is not is made; below a partition likewise", () => {
  const world = worldOf(rendered(2, "old"));
  const keep = change(rendered(3, "new", { how: "keep", kept: "because" }), world);
  assert.deepEqual([steps(keep), keep.notes], [["+2"], ["deployment/web: web-0, web-1 stay as before: because"]]);
  const partition = change(rendered(3, "new", { partition: 1, downwards: true }), world);
  assert.deepEqual([steps(partition), partition.notes], [["+2", "+1"], ["deployment/web: web-0 stays as before: partition is 1"]]);
});
