// $(VAR) expansion: Kubernetes' own rules (third_party/forked/golang/expansion) as a table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expand } from "../../src/plan/expand.js";

const values: Readonly<Record<string, string>> = { A: "a", EMPTY: "", REF: "$(A)", "x.y-z": "odd" };

const cases: readonly [string, string][] = [
  ["plain", "plain"],
  ["$(A)", "a"],
  ["<$(A)$(A)>", "<aa>"],
  ["$(EMPTY)", ""],
  ["$(UNDEFINED)", "$(UNDEFINED)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$a"],
  ["$$$$(A)", "$$(A)"],
  ["$A $[A] $", "$A $[A] $"],
  ["$$", "$"],
  ["$(A", "$(A"],
  ["$()", "$()"],
  ["$(REF)", "$(A)"],
  ["$(x.y-z)", "odd"],
  ["$($(A))", "$($(A))"],
];

for (const [text, wanted] of cases)
  test(`${text} is ${wanted}`, () => {
    assert.equal(expand(text, (name) => values[name]).text, wanted);
  });

test("names what was resolved, and only that", () => {
  assert.deepEqual(expand("$(A) $$(A) $(NO) $(EMPTY)", (name) => values[name]).used, ["A", "EMPTY"]);
});
