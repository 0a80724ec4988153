import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, suggest } from "../../src/base/suggest.js";

test("distance counts inserts, deletes, replacements and swaps", () => {
  for (const [a, b, n] of [
    ["abc", "abc", 0],
    ["abc", "abcd", 1],
    ["abcd", "abc", 1],
    ["abc", "axc", 1],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["", "ab", 2],
  ] as const) {
    assert.equal(distance(a, b, 9), n, `${a} ${b}`);
    assert.equal(distance(b, a, 9), n, `${b} ${a}`);
  }
});

test("distance stops at its limit", () => {
  assert.equal(distance("kitten", "sitting", 2), 3);
  assert.equal(distance("a", "abcdefgh", 2), 3);
});

test("suggest ignores case, - and _, and wants a third of the letters right", () => {
  const fields = ["image", "imagePullPolicy", "tty", "command"];
  assert.deepEqual(suggest("imagee", fields), { word: "image", distance: 1 });
  assert.deepEqual(suggest("image_pull_policy", fields), { word: "imagePullPolicy", distance: 0 });
  assert.deepEqual(suggest("comand", fields), { word: "command", distance: 1 });
  assert.equal(suggest("xyz", fields), undefined);
  assert.equal(suggest("t", fields), undefined);
  assert.equal(suggest("x".repeat(10_000), fields), undefined);
});

test("suggest takes the nearest, and the first of equals", () => {
  assert.equal(suggest("ports", ["sports", "port", "ports"])?.word, "ports");
  assert.equal(suggest("abcx", ["abcy", "abcz"])?.word, "abcy");
});
