// Names in podgen.io/after and podgen.io/requires made into pods, of this apply and of earlier ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodModel, PodOrder } from "../../src/model/types.js";
import { type InstalledPods, planOrder } from "../../src/plan/order.js";
import { at, container, initContainer, pod } from "../lib/models.js";

const after = (name: string, over: Partial<PodOrder> = {}): PodOrder => ({
  name,
  condition: "ready",
  requires: false,
  at: at(5),
  ...over,
});
const waiting = (name: string, ...order: PodOrder[]): PodModel => pod(name, { order });
const codes = (pods: readonly PodModel[], installed: InstalledPods = {}): string[] =>
  planOrder(pods, installed).diagnostics.map((d) => `${d.severity} ${d.code}`);
const installed = (name: string, ...order: string[]): InstalledPods => ({
  [name]: {
    name,
    units: [`pod-${name}.service`, `pod-${name}__infra.service`, `pod-${name}_old.service`],
    after: order.map((p) => ({ pod: p, condition: "ready", requires: true })),
  },
});

test("units to come after are those of the apply, or of the manifest where the pod is not in it", () => {
  const db = pod("db", { initContainers: [initContainer("prep")], containers: [container("sql")] });
  const plan = planOrder([waiting("web", after("db", { requires: true }), after("cache", { condition: "started" })), db], {
    ...installed("cache"),
    ...installed("db"),
  });
  assert.deepEqual(plan.after.get("web"), [
    { pod: "cache", condition: "started", requires: false, units: ["pod-cache_old.service"] },
    { pod: "db", condition: "ready", requires: true, units: ["pod-db_prep.service", "pod-db_sql.service"] },
  ]);
  assert.deepEqual(plan.diagnostics, []);
});

test("a workload's name means all its pods; a pod of that name goes before it, and a kind says which", () => {
  const owner = { kind: "StatefulSet", name: "db", index: 0 };
  const pods = [{ ...pod("db-0"), owner }, { ...pod("db-1"), owner }, pod("x")];
  const names = (order: PodOrder, more: PodModel[] = []): string[] | undefined =>
    planOrder([waiting("web", order), ...pods, ...more], {})
      .after.get("web")
      ?.map((a) => a.pod);
  assert.deepEqual(names(after("db")), ["db-0", "db-1"]);
  assert.deepEqual(names(after("db"), [pod("db")]), ["db"]);
  assert.deepEqual(names(after("db", { kind: "statefulset" }), [pod("db")]), ["db-0", "db-1"]);
  assert.deepEqual(names(after("db", { kind: "deployment" })), []);
});

test("who is not there is an error where it is required, else a warning", () => {
  assert.deepEqual(codes([waiting("web", after("db"))]), ["warning unknown-pod"]);
  assert.deepEqual(codes([waiting("web", after("db", { requires: true }))]), ["error unknown-pod"]);
});

test("what runs for ever never completes", () => {
  const completed = after("db", { condition: "completed" });
  assert.deepEqual(codes([waiting("web", completed), pod("db")]), ["error never-completes"]);
  assert.deepEqual(codes([waiting("web", completed), pod("db", { restartPolicy: "Never" })]), []);
});

test("a circle through an installed pod is an error, with all its names; one among the apply's own is the model's to tell", () => {
  const { diagnostics } = planOrder([waiting("web", after("db"))], { ...installed("db", "old"), ...installed("old", "web") });
  assert.deepEqual(
    diagnostics.map((d) => d.message),
    ["pods wait for each other in a circle: web -> db -> old -> web"],
  );
  assert.deepEqual(codes([waiting("web", after("db")), waiting("db", after("web"))]), []);
  // What is applied anew counts as it is then.
  assert.deepEqual(codes([waiting("web", after("db")), pod("db")], installed("db", "web")), []);
});
