// The printer: valid JSON whatever goes in, and three levels for people.
import assert from "node:assert/strict";
import { test } from "node:test";
import { printJson } from "../../../src/render/oci/json.js";

test("outer levels are spread, inner ones are on a line, keys keep their order", () => {
  assert.equal(
    printJson({ b: { list: ["x", { deep: [1, 2] }], none: [] }, a: true }),
    '{\n  "b": {\n    "list": [\n      "x",\n      {"deep":[1,2]}\n    ],\n    "none": []\n  },\n  "a": true\n}\n',
  );
});
test("text survives", () => {
  const odd = { 'k\n"': ["\u0000\u2028é\\", "</x>"] };
  assert.deepEqual(JSON.parse(printJson(odd)), odd);
});
