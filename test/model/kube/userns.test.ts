// The words of the userns annotation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUserns } from "../../../src/model/kube/userns.js";

test("words with a meaning", () => {
  const taken: [string, unknown][] = [
    ["shared", { mode: "shared" }],
    ["host", { mode: "shared" }],
    ["nomap", { mode: "nomap" }],
    ["keep-id", { mode: "keep-id" }],
    ["keep-id:uid=0", { mode: "keep-id", uid: 0 }],
    ["keep-id:gid=7,uid=4294967294", { mode: "keep-id", gid: 7, uid: 4294967294 }],
    ["auto", { mode: "auto" }],
    ["auto:size=1", { mode: "auto", size: 1 }],
  ];
  for (const [words, wish] of taken) assert.deepEqual(parseUserns(words), wish, words);
});

test("words without one", () => {
  const none = [
    "",
    "Auto",
    "auto:",
    "keep-id:",
    "keep-id:uid",
    "keep-id:uid=1,",
    "keep-id:uid=1,uid=2",
    "auto:uid=1",
    "nomap:",
    "host:1",
    "private",
  ];
  for (const words of none) assert.match((parseUserns(words) as { problem: string }).problem, /^is none of "shared", /, words);
  for (const words of ["auto:size=0", "auto:size=-1", "auto:size=4294967295", "keep-id:uid=0x1", "keep-id:gid="])
    assert.match((parseUserns(words) as { problem: string }).problem, /: expected a number from [01] to 4294967294$/, words);
  assert.match((parseUserns("auto:uidmapping=0:1:1") as { problem: string }).problem, /^is not supported: podgen chooses the range itself/);
});
