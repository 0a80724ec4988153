// podgen-kube(5) is what the field tables say; UPDATE=1 writes it anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { kubePage } from "./kube-page.js";

const PATH = "man/podgen-kube.5";

test("podgen-kube(5) says what the field tables say (UPDATE=1 npm test writes it)", () => {
  const page = kubePage();
  if (process.env["UPDATE"]) writeFileSync(PATH, page);
  assert.equal(readFileSync(PATH, "utf8"), page);
});
