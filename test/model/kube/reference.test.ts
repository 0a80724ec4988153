// explain's answers: paths in any spelling, what was meant by a wrong one, and what becomes of a field inside of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_KINDS } from "../../../src/model/kube/known-kinds.js";
import { childrenOf, type Entry, findEntry, kindEntry, pathOf } from "../../../src/model/kube/reference.js";

function found(path: string): Entry {
  const entry = findEntry(path);
  assert.ok(!("problem" in entry), "problem" in entry ? `${entry.problem}: ${entry.hint}` : "");
  return entry;
}

function missing(path: string): string {
  const entry = findEntry(path);
  assert.ok("problem" in entry, path);
  return `${entry.problem}: ${entry.hint}`;
}

test("a path is found in any case, with indices or without, by plurals and short names", () => {
  for (const path of [
    "pod.spec.containers.image",
    "Pod.Spec.Containers[0].IMAGE",
    "po.spec.containers[].image",
    "pods.spec.containers.image",
  ])
    assert.equal(pathOf(found(path)), "pod.spec.containers[].image", path);
  assert.equal(pathOf(found("cm.data")), "configmap.data");
  assert.equal(found("pod").type, "Pod");
  assert.equal(pathOf(found("pod.spec.containers.resources.limits.cpu")), "pod.spec.containers[].resources.limits.cpu");
});

test("a wrong word is answered by what was meant", () => {
  assert.match(missing("pot.spec"), /no kind is called "pot": did you mean "pod"\?/);
  assert.match(missing("pod.spec.container"), /pod\.spec has no field "container": did you mean "containers"\?/);
  assert.match(missing("pod.spec.containers.environment"), /did you mean "env"\?/);
  assert.match(missing("pod.spec.IMAGEPULLPOLICY"), /belongs under spec\.containers\[\]/);
  assert.match(missing("pod.spec.containers.image.tag"), /it has no fields: string/);
  assert.match(missing("pod.spec.os.zzzzzzzzz"), /its fields: name/);
});

test("what is inside of what is refused or has no effect is so, too, for the same reason", () => {
  const probe = found("pod.spec.ephemeralContainers");
  assert.equal(probe.fate, "refused");
  const inside = found("pod.spec.ephemeralContainers.image");
  assert.deepEqual([inside.fate, inside.reason], [probe.fate, probe.reason]);
  assert.equal(found("pod.spec.affinity.nodeAffinity").fate, "no effect");
  assert.equal(found("pod.spec.containers.image").fate, "honoured");
  for (const kind of KNOWN_KINDS.filter((k) => k.refused !== undefined))
    for (const entry of [kindEntry(kind), ...childrenOf(kindEntry(kind))]) assert.equal(entry.fate, "refused", pathOf(entry));
});

test("every entry of every kind is found by its own path", () => {
  let seen = 0;
  const visit = (entry: Entry): void => {
    seen++;
    assert.equal(pathOf(found(pathOf(entry))), pathOf(entry));
    if (entry.path.split(".").length < 6) for (const c of childrenOf(entry)) visit(c);
  };
  for (const kind of KNOWN_KINDS) visit(kindEntry(kind));
  assert.ok(seen > 2000, `${seen}`);
});
