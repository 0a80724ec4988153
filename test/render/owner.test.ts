// A pod that a workload makes: its files name the workload, and the manifest and the status remember it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownerName, sameOwner } from "../../src/base/owner.js";
import { manifestPod } from "../../src/diff/manifest.js";
import { statusOf } from "../../src/status/index.js";
import { modelOf, pod, renderOf } from "../lib/models.js";

const owner = { kind: "Deployment", name: "web", index: 1 };

test("the owner goes from the model to files, manifest and status", () => {
  const [rendered] = renderOf(modelOf(pod("web-1", { owner }))).pods;
  assert.ok(rendered !== undefined);
  const text = (name: string) => new TextDecoder().decode(rendered.files.find((f) => f.path.endsWith(name))?.bytes);
  assert.match(text("/pod-web-1.service"), /object Deployment\/web, pod web-1\n/);
  for (const container of ["app", "_infra"])
    assert.match(text(`/${container}/config.json`), /"io\.podgen\.object": "Deployment\/web, pod web-1"/);
  const entry = manifestPod(rendered);
  assert.deepEqual(entry.owner, owner);
  assert.deepEqual(statusOf({ version: 1, pods: { "web-1": entry }, objects: {} }, new Map())[0]?.owner, owner);
});

test("a pod without one has none", () => {
  const [rendered] = renderOf(modelOf(pod("web"))).pods;
  assert.ok(rendered !== undefined && !("owner" in manifestPod(rendered)));
  assert.equal(sameOwner(undefined, owner), false);
  assert.equal(sameOwner({ kind: "Deployment", name: "web" }, owner), true);
  assert.equal(ownerName(owner), "deployment/web");
});
