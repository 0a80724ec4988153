// PersistentVolumeClaims: what is kept of them, what may change, who may use one.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManifestPod } from "../../src/base/installed.js";
import type { ClaimModel, PodModel } from "../../src/model/types.js";
import { checkClaims, claimedVolumes, exclusiveClaims } from "../../src/plan/claim-objects.js";
import { type AppliedObjects, NO_OBJECTS, parseAppliedObjects } from "../../src/plan/objects.js";
import { at, claim, codesOf, container, goodPlan, modelOf, planOf, pod, volumeMount } from "../lib/models.js";

const user = (name: string, claimName: string): PodModel =>
  pod(name, {
    volumes: [{ name: "v", source: { kind: "persistentVolumeClaim", claimName, readOnly: false }, at: at(20) }],
    containers: [container("app", { volumeMounts: [volumeMount("v", "/v")] })],
  });
const applied = (...claims: ClaimModel[]): AppliedObjects => ({ ...NO_OBJECTS, claims: new Map(claims.map((c) => [c.name, c])) });
const installed = (name: string, objects: readonly string[]): ManifestPod => {
  return { name, source: "/s", files: [], units: [], inits: [], enabled: [], images: {}, folders: [], objects };
};

test("a claim is read back as it was applied", () => {
  const whole = claim("db", { accessModes: ["ReadWriteOncePod"], storage: 5, storageClassName: "fast", owner: { uid: 999, gid: 7 } });
  const [object] = goodPlan(modelOf(whole)).objects;
  assert.ok(object);
  assert.equal(object.path, "/home/alice/.local/state/podgen/objects/PersistentVolumeClaim-db.json");
  const back = parseAppliedObjects(new Map([[object.key, object.bytes]])).claims.get("db");
  assert.deepEqual({ ...back, at: whole.at }, whole);
});

test("a pod names its claims in what it refers to, with a claim object or without; the volume has the owner that the claim says", () => {
  assert.deepEqual(goodPlan(modelOf(user("web", "db"))).pods[0]?.objects, ["PersistentVolumeClaim/db"]);
  const options = (owner?: ClaimModel["owner"]) =>
    goodPlan(
      modelOf(user("web", "db"), claim("db", owner === undefined ? {} : { owner })),
    ).pods[0]?.containers[0]?.mounts[0]?.options.slice(3);
  assert.deepEqual(options(), ["x-podgen.mkdir"]);
  assert.deepEqual(options({ uid: 999, gid: 7 }), ["x-podgen.mkdir", "x-podgen.owner=999:7"]);
});

test("a size is said not to be held, once for all", () => {
  const [found, ...more] = planOf(modelOf(claim("a", { storage: 1 }), claim("b", { storage: 1 }), claim("c"))).diagnostics;
  assert.deepEqual([found?.code, found?.severity, more], ["no-quota", "warning", []]);
  assert.match(found?.message ?? "", /^claim "a", claim "b": resources\.requests\.storage has no effect/);
});

test("of an applied claim the size may grow, and nothing else may change", () => {
  const before = claim("db", { storage: 5, storageClassName: "fast" });
  const codes = (after: ClaimModel) => checkClaims(modelOf(after), applied(before)).map((d) => d.message);
  assert.deepEqual(codes(claim("db", { storage: 6, storageClassName: "fast" })), []);
  assert.deepEqual(codes(claim("other")), []);
  assert.match(codes(claim("db", { storage: 4, storageClassName: "fast" }))[0] ?? "", /storage, which may only grow/);
  const moved = codes(claim("db", { storage: 5, accessModes: ["ReadOnlyMany"], owner: { uid: 1, gid: 1 } }));
  assert.match(moved[0] ?? "", /other accessModes, storageClassName, volume\.podman\.io\/uid or gid$/);
  assert.deepEqual(codesOf(modelOf(claim("db")), { objects: applied(before) }), ["immutable-object"]);
});

test("ReadWriteOncePod: one pod alone, of this apply and of those that are installed", () => {
  const once = claim("db", { accessModes: ["ReadWriteOncePod"] });
  assert.deepEqual(
    exclusiveClaims(
      new Map([
        ["db", once],
        ["x", claim("x")],
      ]),
    ),
    ["db"],
  );
  const check = (pods: PodModel[], others: ManifestPod[]) => claimedVolumes(pods, others, ["db"]);
  assert.deepEqual(check([user("web", "db"), user("log", "x")], [installed("old", ["PersistentVolumeClaim/x"])]), []);
  const [two] = check([user("web", "db"), user("log", "db")], []);
  assert.deepEqual([two?.code, two?.at], ["claimed-volume", at(20)]);
  assert.match(two?.message ?? "", /"web", "log" use it/);
  assert.match(check([user("web", "db")], [installed("old", ["PersistentVolumeClaim/db"])])[0]?.message ?? "", /"old", "web"/);
});
