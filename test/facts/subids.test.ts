// Subordinate ids as podrt counts them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { countIds } from "../../src/host/facts/subids.js";

test("all lines of the user, by name or number; not those that the kernel would refuse", () => {
  const count = (...lines: string[]): number => countIds(lines.join("\n"), "alice", 1000, 1000);
  assert.equal(count("alice:100000:65536", "bob:165536:65536", "1000:300000:10"), 65546);
  assert.equal(count("alice:100000:65536", "alice:100001:5", "alice:165535:2", "alice:165536:2"), 65538);
  assert.equal(count("alice:990:20", "alice:2000:0", "alice:4294967290:10", "alice:x:1", "alice:1:2:3", "", "alice:5000:1"), 1);
  assert.equal(count(), 0);
});
