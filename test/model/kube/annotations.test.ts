// What annotations say: the container's own before the pod's, in whichever spelling.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL, annotationOf } from "../../../src/model/kube/annotations.js";

test("a container's own annotation goes before the pod's, podman's spelling counts like podgen's", () => {
  const annotations = { "podgen.io/sdnotify": "conmon", "io.containers.sdnotify/app": "ignore" };
  assert.equal(annotationOf(annotations, "sdnotify", "app"), "ignore");
  assert.equal(annotationOf(annotations, "sdnotify", "log"), "conmon");
  assert.equal(annotationOf(annotations, "sdnotify"), "conmon");
  assert.equal(annotationOf({ "io.containers.sdnotify": "ignore" }, "sdnotify", "app"), "ignore");
  assert.equal(annotationOf({}, "sdnotify", "__proto__"), undefined);
});

test("no two rows share a key", () => {
  const keys = ALL.flatMap((row) => [...row.pod, ...row.container]);
  assert.deepEqual(keys, [...new Set(keys)]);
});
