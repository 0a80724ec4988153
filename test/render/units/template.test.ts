// Filling templates: placeholders, lines that go, and mistakes of ours that must not pass.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fill } from "../../../src/render/units/template.js";

test("placeholders are replaced, also two in a line, and what they bring in is not looked at again", () => {
  assert.equal(fill("A=@X@ @Y@\n", { X: "1", Y: "@X@" }), "A=1 @X@\n");
});
test("a value of undefined takes its line away", () => assert.equal(fill("A=@X@\nB=1\n", { X: undefined }), "B=1\n"));
test("the template's own comments go, others stay", () => assert.equal(fill("#- why\n# keep\nA=1\n", {}), "# keep\nA=1\n"));
test("a replacement pattern in a value is text", () => assert.equal(fill("A=@X@\n", { X: "$& $1 $$" }), "A=$& $1 $$\n"));
test("a placeholder without a value is a bug", () => assert.throws(() => fill("A=@X@\n", {}), /@X@ has no value/));
test("a value without a placeholder is a bug", () => assert.throws(() => fill("A=1\n", { X: "1" }), /without a placeholder: X/));
