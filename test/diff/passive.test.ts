// What the watcher's change sets keep of the starts: all of what nobody has stopped, nothing of what a person stopped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { intent } from "../../src/apply/files.js";
import type { UnitState } from "../../src/base/installed.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { withoutStarts } from "../../src/diff/passive.js";
import type { ChangeSet } from "../../src/diff/types.js";
import type { Rendered } from "../../src/render/types.js";
import { acts, NOTHING, unitState, type World, worldOf } from "../lib/installed.js";
import { container, modelOf, pod, renderOf } from "../lib/models.js";

const rendered = renderOf(modelOf(pod("web", { restartPolicy: "Never" })));
/** The same pod with another argument. */
const other = renderOf(modelOf(pod("web", { restartPolicy: "Never", containers: [container("app", { args: ["-v"] })] })));
/** The same pod with a second container. */
const wider = renderOf(modelOf(pod("web", { restartPolicy: "Never", containers: [container("app"), container("more")] })));
const APP = "pod-web_app.service";
const MORE = "pod-web_more.service";
const inactive = { activeState: "inactive", subState: "dead" };

function passive(world: World, wanted: Rendered = rendered): ChangeSet {
  return withoutStarts(makeChangeSet(wanted, world, {}), world);
}
function set(world: World, name: string, over: Partial<UnitState>, service: Partial<NonNullable<UnitState["service"]>> = {}): World {
  world.units.set(name, unitState(name, over, service));
  return world;
}
/** The world as an apply of `wanted` leaves it that is killed with all files written and nothing started. */
function killed(world: World, wanted: Rendered): World {
  const { pods } = intent(world.manifest, makeChangeSet(wanted, world, {}));
  return { ...worldOf(wanted), manifest: { ...world.manifest, pods }, units: new Map(world.units), running: new Map(world.running) };
}
function stopped(world: World): World {
  for (const name of world.units.keys()) if (!name.endsWith(".slice")) set(world, name, { ...inactive, invocation: "a1" });
  return world;
}

test("a pod that a person stopped gets its new files and no job", () => {
  const changes = passive(stopped(worldOf(rendered)), other);
  assert.deepEqual(acts(changes.pods[0]), []);
  assert.deepEqual([changes.empty, changes.pods[0]?.verdict, changes.pods[0]?.files.length], [false, "configured", 1]);
  assert.equal(passive(stopped(worldOf(rendered))).empty, true);
});

test("in a running pod a container that a person stopped stays so", () => {
  const world = set(worldOf(wider), MORE, { ...inactive, invocation: "a1" });
  const changes = passive(world, wider);
  assert.deepEqual([acts(changes.pods[0]), changes.empty], [[], true]);
});

test("a first apply that was killed before the start: nobody has stopped the pod, it is started", () => {
  const world = killed(NOTHING, rendered);
  assert.equal(world.manifest.pods["web"]?.fresh, true);
  const changes = passive(world);
  assert.equal(changes.empty, false);
  assert.ok(acts(changes.pods[0]).includes(`${APP}: start (not running)`), acts(changes.pods[0]).join());
  assert.equal(changes.pods[0]?.manifest?.fresh, undefined, "an apply that ends takes the mark away");
  // Killed a second time.
  const again = killed(world, rendered);
  assert.equal(again.manifest.pods["web"]?.fresh, true);
  assert.equal(passive(again).empty, false);
});

test("a later apply that was killed: a pod that a person had stopped before stays stopped", () => {
  const changes = passive(killed(stopped(worldOf(rendered)), other), other);
  assert.deepEqual(acts(changes.pods[0]), []);
});

test("killed before it started a container that was added to a running pod: that one is started", () => {
  const world = killed(worldOf(rendered), wider);
  assert.deepEqual(acts(passive(world, wider).pods[0]), [`${MORE}: start (not running)`]);
  // One that did run has been stopped since.
  set(world, MORE, { ...inactive, invocation: "a1" });
  assert.deepEqual(acts(passive(world, wider).pods[0]), []);
});

const failed = { activeState: "failed", subState: "failed", invocation: "a1" };
const ended = { execMainCode: 1, execMainStatus: 3, result: "exit-code" };
const dead = (world: World): World => {
  const state = world.running.get("web/app");
  assert.ok(state);
  world.running.set("web/app", { ...state, alive: false });
  return world;
};

test("a container that failed by itself is not run again as it is; mended, it is", () => {
  const world = dead(set(worldOf(rendered), APP, failed, ended));
  assert.deepEqual([acts(passive(world).pods[0]), passive(world).empty], [[], true]);
  assert.deepEqual(acts(passive(world, other).pods[0]), [`${APP}: start (failed (exit-code); bundle changed: command)`]);
});

test("one that failed in being stopped, or in a pod that is stopped, is not run, also when it is mended", () => {
  const timeout = dead(set(worldOf(rendered), APP, failed, { ...ended, result: "timeout" }));
  assert.deepEqual(acts(passive(timeout, other).pods[0]), []);
  const down = dead(set(stopped(worldOf(rendered)), APP, failed, ended));
  assert.deepEqual(acts(passive(down, other).pods[0]), []);
});

test("a pod that is only claimed by another file: the manifest is written", () => {
  const moved = { ...rendered, pods: rendered.pods.map((p) => ({ ...p, source: "/home/alice/other.yaml" })) };
  const { empty, pods } = passive(stopped(worldOf(rendered)), moved);
  assert.deepEqual([empty, pods[0]?.verdict, pods[0]?.manifest?.source], [false, "configured", "/home/alice/other.yaml"]);
});
