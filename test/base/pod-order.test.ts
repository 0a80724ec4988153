// Circles of pods that wait for each other, and the order without them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { circleOf, inOrder, type PodEdges } from "../../src/base/pod-order.js";

/** `a: b c` has a wait for b and c. */
const edges = (...lines: string[]): PodEdges =>
  new Map(
    lines.map((line) => {
      const [name = "", ...others] = line.replace(":", "").split(" ");
      return [name, others.map((pod) => ({ pod, condition: "ready", requires: false }) as const)];
    }),
  );

test("a circle is told from its start on, the shortest way; who only leads into one is in none", () => {
  const all = edges("a: b c", "b: d", "c: a", "d: a", "x: a", "self: self");
  assert.deepEqual(circleOf("a", all), ["a", "c", "a"]);
  assert.deepEqual(circleOf("b", all), ["b", "d", "a", "b"]);
  assert.equal(circleOf("x", all), undefined);
  assert.deepEqual(circleOf("self", all), ["self", "self"]);
  assert.equal(circleOf("nobody", all), undefined);
});

test("each comes after what it waits for, also through one that is not asked for; others keep their places", () => {
  const all = edges("web: api", "api: db", "db: ", "z: ");
  assert.deepEqual(inOrder(["z", "web", "db"], all), ["z", "db", "web"]);
  assert.deepEqual(inOrder(["web", "api", "db"], all), ["db", "api", "web"]);
  assert.deepEqual(inOrder(["a", "b"], edges("a: b", "b: a")), ["b", "a"]);
});
