// ServiceAccounts: whose logins a pod has, and that later applies know them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model, PodModel, ServiceAccountModel } from "../../src/model/types.js";
import { withAccounts } from "../../src/plan/accounts.js";
import { parseAppliedObjects } from "../../src/plan/objects.js";
import { at, goodPlan, modelOf, pod, secret } from "../lib/models.js";

const account = (name: string, ...secrets: string[]): ServiceAccountModel => ({
  kind: "ServiceAccount",
  name,
  namespace: "default",
  labels: {},
  annotations: {},
  at: at(),
  imagePullSecrets: secrets.map((s) => ({ name: s, at: at(9) })),
});
const names = (p: PodModel | undefined) => p?.imagePullSecrets?.map((s) => s.name);
const given = (model: Model, ...applied: ServiceAccountModel[]) => withAccounts(model, new Map(applied.map((a) => [a.name, a])));

test("a pod has its account's logins, the default's where it says none, and its own before either", () => {
  const pods = [
    pod("a", { serviceAccountName: "puller" }),
    pod("b"),
    pod("c", { serviceAccountName: "puller", imagePullSecrets: [{ name: "own", at: at() }] }),
  ];
  const model = { ...modelOf(...pods), accounts: [account("puller", "one", "two"), account("default", "three")] };
  assert.deepEqual(given(model).pods.map(names), [["one", "two"], ["three"], ["own"]]);
});

test("one of an earlier apply counts, and a newer one of its name instead", () => {
  const model = modelOf(pod("a", { serviceAccountName: "puller", at: at(3) }));
  const [found] = given(model, account("puller", "old")).pods;
  assert.deepEqual(found?.imagePullSecrets, [{ name: "old", at: at(3) }]);
  assert.equal(names(given({ ...model, accounts: [account("puller")] }, account("puller", "old")).pods[0]), undefined);
});

test("it is kept for later applies, for as long as a pod has its logins", () => {
  const login = { ...secret("one", { ".dockerconfigjson": '{"auths":{}}' }), type: "kubernetes.io/dockerconfigjson" };
  const plan = goodPlan({ ...modelOf(pod("a", { serviceAccountName: "puller" }), login), accounts: [account("puller", "one")] });
  assert.deepEqual(plan.pods[0]?.objects, ["Secret/one", "ServiceAccount/puller"]);
  const kept = plan.objects.find((o) => o.key === "ServiceAccount/puller");
  assert.ok(kept !== undefined && !kept.secret);
  const applied = parseAppliedObjects(new Map([[kept.key, kept.bytes]])).accounts?.get("puller");
  assert.deepEqual(
    applied?.imagePullSecrets.map((s) => s.name),
    ["one"],
  );
});
