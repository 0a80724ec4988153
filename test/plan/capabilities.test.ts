// Capability sets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilitySet } from "../../src/plan/capabilities.js";

const set = (add: string[], drop: string[]) => capabilitySet(add, drop);

test("the default is the field's eleven", () => {
  assert.deepEqual(
    set([], []).join(" "),
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_CHROOT",
  );
});

test("add and drop, in any spelling", () => {
  assert.deepEqual(set(["CAP_NET_ADMIN"], []), set(["net_admin"], []));
  assert.ok(set(["NET_ADMIN"], ["CHOWN"]).includes("CAP_NET_ADMIN"));
  assert.ok(!set(["NET_ADMIN"], ["CHOWN"]).includes("CAP_CHOWN"));
});

test("drop ALL, add one", () => assert.deepEqual(set(["CHOWN"], ["ALL"]), ["CAP_CHOWN"]));
test("add ALL, drop one", () => {
  const names = set(["ALL"], ["SYS_ADMIN"]);
  assert.equal(names.length, 40);
  assert.ok(!names.includes("CAP_SYS_ADMIN"));
});
test("dropping ALL wins over adding it", () => assert.deepEqual(set(["ALL"], ["ALL"]), []));
test("what is both added and dropped is dropped", () => assert.ok(!set(["CHOWN"], ["CHOWN"]).includes("CAP_CHOWN")));
